"""Look-ups share queries."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from video2mp3_operator.cache.dataloader import DataLoader
from video2mp3_operator.ports.errors import UnavailableError


def test_what_is_asked_for_together_is_one_query() -> None:
    queries: list[list[str]] = []

    async def fetch(keys: Collection[str]) -> Mapping[str, str]:
        queries.append(sorted(keys))
        await asyncio.sleep(0.001)
        return {key: key.upper() for key in keys if key != "none"}

    async def main() -> list[str | None]:
        loader = DataLoader(fetch)
        first = await asyncio.gather(*(loader.get(key) for key in ("a", "b", "none", "a")))
        return [*first, await loader.get("a")]

    assert asyncio.run(main()) == ["A", "B", None, "A", "A"]
    assert queries == [["a", "b", "none"], ["a"]]


def test_a_query_under_way_is_not_joined_since_it_may_have_been_answered_already() -> None:
    queries: list[list[str]] = []

    async def fetch(keys: Collection[str]) -> Mapping[str, int]:
        queries.append(sorted(keys))
        await asyncio.sleep(0.005)
        return dict.fromkeys(keys, len(queries))

    async def main() -> list[int | None]:
        loader = DataLoader(fetch)
        early = asyncio.create_task(loader.get("a"))
        await asyncio.sleep(0.002)
        late = asyncio.create_task(loader.get("a"))
        return list(await asyncio.gather(early, late))

    assert asyncio.run(main()) == [1, 2]


def test_an_error_reaches_everyone_and_the_next_query_is_a_new_one() -> None:
    away = True

    async def fetch(keys: Collection[str]) -> Mapping[str, str]:
        if away:
            raise UnavailableError("away")
        return dict.fromkeys(keys, "here")

    async def main() -> str | None:
        nonlocal away
        loader = DataLoader(fetch)
        for result in await asyncio.gather(loader.get("a"), loader.get("b"), return_exceptions=True):
            with pytest.raises(UnavailableError, match="away"):
                raise result if isinstance(result, BaseException) else AssertionError
        away = False
        return await loader.get("a")

    assert asyncio.run(main()) == "here"


def test_large_demand_is_split() -> None:
    sizes: list[int] = []

    async def fetch(keys: Collection[str]) -> Mapping[str, str]:
        sizes.append(len(keys))
        return {}

    async def main() -> None:
        loader = DataLoader(fetch)
        await asyncio.gather(*(loader.get(str(number)) for number in range(1200)))

    asyncio.run(main())
    assert sizes == [500, 500, 200]
