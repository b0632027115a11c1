"""Limits on how often something may be done, counted in this process or in Redis for several.

Fixed windows: one counter for each subject, so that a limit costs microseconds on every request. A burst
around the end of a window can reach twice the limit, which none of ours minds.
"""

import math
import time
from dataclasses import dataclass
from typing import Final

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage, Storage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from src.config.settings import Settings
from src.models.errors import TooManyRequestsError

log = structlog.get_logger(__name__)

OFF: Final = "off"
REDIS_SECONDS: Final = 0.5
"""Longer than this no listener waits to be counted."""


class CounterStorage(Storage):
    """Counters in memory.

    The library's own walks all keys at each count; this one forgets what has ended once a minute.
    """

    STORAGE_SCHEME = None
    SWEEP_SECONDS: Final = 60.0

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, tuple[int, float]] = {}
        self._sweep_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        if now >= self._sweep_at:
            self._counts = {k: entry for k, entry in self._counts.items() if entry[1] > now}
            self._sweep_at = now + self.SWEEP_SECONDS
        count, ends = self._counts.get(key, (0, 0.0))
        if ends <= now:
            count, ends = 0, now + expiry
        self._counts[key] = (count + amount, ends)
        return count + amount

    async def get(self, key: str) -> int:
        count, ends = self._counts.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    async def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, time.time()))[1]

    async def check(self) -> bool:
        return True

    async def reset(self) -> int:
        n_counts = len(self._counts)
        self._counts.clear()
        return n_counts

    async def clear(self, key: str) -> None:
        self._counts.pop(key, None)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a limit: ``limit`` per ``window`` seconds, ``remaining`` for ``reset`` seconds more."""

    limit: int
    window: int
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the settings. A limit that is off, or whose Redis does not answer, lets everything pass."""

    requests: RateLimitItem | None
    account: RateLimitItem | None
    address: RateLimitItem | None
    counter: FixedWindowRateLimiter

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        storage: Storage = CounterStorage()
        if settings.redis_url is not None:
            # The queue's library and this one name a Unix socket differently.
            url = "async+" + settings.redis_url.replace("redis+socket://", "redis+unix://", 1)
            storage = RedisStorage(
                url,
                implementation="redispy",
                key_prefix="madhur",
                socket_connect_timeout=REDIS_SECONDS,
                socket_timeout=REDIS_SECONDS,
            )
        return cls(
            _item(settings.rate_limit),
            _item(settings.login_limit_account),
            _item(settings.login_limit_address),
            FixedWindowRateLimiter(storage),
        )

    async def close(self) -> None:
        """Let go of the connections to Redis."""
        storage = self.counter.storage
        if isinstance(storage, RedisStorage) and isinstance(storage.bridge, RedispyBridge):
            await storage.bridge.storage.aclose()

    async def count_request(self, who: str) -> Standing | None:
        """Count a request of a listener or an address.

        Raises:
            TooManyRequestsError: it is one too many.
        """
        return await self._count(self.requests, "request", who)

    async def count_login(self, account: str, address: str) -> None:
        """Count an attempt before its password is looked at, so that a thousand at once are all counted.

        Args:
            account: the name as it was given, whether or not there is such an account: the answer must not tell.

        Raises:
            TooManyRequestsError: too many from the address, or too many that failed for the account.
        """
        await self._count(self.address, "address", address)
        await self._count(self.account, "account", account)

    async def count_address(self, address: str) -> None:
        """Count a registration or a reset.

        Raises:
            TooManyRequestsError: too many from the address.
        """
        await self._count(self.address, "address", address)

    async def count_account(self, account: str) -> None:
        """Count a failed check of a password.

        Raises:
            TooManyRequestsError: too many for the account.
        """
        await self._count(self.account, "account", account)

    async def forgive(self, account: str) -> None:
        """Forget the failures of an account somebody has logged in to."""
        if self.account is not None:
            try:
                await self.counter.clear(self.account, "account", account)
            except RedisError as error:
                log.error("limits are not counted", error=str(error))

    async def _count(self, item: RateLimitItem | None, kind: str, who: str) -> Standing | None:
        if item is None:
            return None
        key = item.key_for(kind, who)
        try:
            count = await self.counter.storage.incr(key, item.get_expiry())
            ends = await self.counter.storage.get_expiry(key)
        except RedisError as error:
            # Listeners matter more than counting them; the log says that nobody counts.
            log.error("limits are not counted", error=str(error))
            return None
        reset = max(1, math.ceil(ends - time.time()))
        if count > item.amount:
            raise TooManyRequestsError(f"Too many requests: {item}. Try again in {reset} seconds.", retry_after=reset)
        return Standing(item.amount, item.get_expiry(), item.amount - count, reset)


def _item(rate: str) -> RateLimitItem | None:
    return None if rate == OFF else parse(rate)
