"""What the chart's Jobs set up: users of MongoDB and Secrets, as data. Imports `ports`."""
