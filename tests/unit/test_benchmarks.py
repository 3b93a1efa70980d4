"""`make bench-operator` runs too seldom to be the one that finds that its cluster cannot be put together any more."""

from benchmarks.operator.run import Cluster


def test_the_operators_cluster_can_be_put_together() -> None:
    assert Cluster(cap=1).mongodb.name == "secantusdb"
