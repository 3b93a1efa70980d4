"""④ Which of several operators works: a Lease says who leads, a fence keeps others from writing. Imports `ports`."""
