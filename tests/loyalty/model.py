"""The rules of the ledger in plain Python, written from the rules and not from the code; slow and simple.

Times are whole days. A lot knows how many of its points are pending or can be spent; all else is moves of points.
"""

from dataclasses import dataclass, field
from itertools import count

FOR_EVER = 10**9


class Refused(Exception):
    pass


@dataclass(eq=False)
class Lot:
    number: int
    earned: int
    active: int
    expires: int
    pending: int = 0
    usable: int = 0

    def turn(self):
        return self.expires, self.earned, self.number


@dataclass(eq=False)
class Spend:
    """Points that left, one entry per point, so that they can return in the other direction."""

    owner: int
    lots: list[Lot]
    until: int = FOR_EVER
    is_open: bool = False


@dataclass(eq=False)
class Earning:
    owner: int
    lot: Lot
    points: int
    taken: int = 0


@dataclass(eq=False)
class Purse:
    lots: list[Lot] = field(default_factory=list)
    holds: list[Spend] = field(default_factory=list)
    debt: int = 0
    earned: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0


class Model:
    def __init__(self, owners):
        self.purses = {owner: Purse() for owner in owners}
        self.leads_to = {owner: owner for owner in owners}
        self.now, self.numbers = 0, count(1)

    def purse(self, owner):
        while self.leads_to[owner] != owner:
            owner = self.leads_to[owner]
        return self.purses[owner]

    # What can be asked

    def balance(self, owner):
        purse = self.purse(owner)
        return sum(lot.usable for lot in purse.lots) - purse.debt

    def pending(self, owner):
        return sum(lot.pending for lot in self.purse(owner).lots)

    def held(self, owner):
        return sum(len(hold.lots) for hold in self.purse(owner).holds)

    def lots(self, owner):
        """[(day active, day it expires, points)] in the order of spending"""
        lots = sorted(self.purse(owner).lots, key=Lot.turn)
        return [(lot.active, lot.expires, lot.usable + lot.pending) for lot in lots if lot.usable + lot.pending]

    def lifetime(self, owner):
        purse = self.purse(owner)
        return purse.earned, purse.spent, purse.expired, purse.reversed

    # Time

    def wait(self, days):
        for _ in range(days):
            self.now += 1
            for purse in self.purses.values():
                self._day(purse)

    def _day(self, purse):
        """What this day decides: points become active, holds run out, points expire."""
        for lot in sorted(purse.lots, key=lambda lot: (lot.active, lot.number)):
            if lot.pending and lot.active <= self.now:
                lot.usable, lot.pending = lot.usable + lot.pending, 0
                self._pay(purse)
        for hold in [hold for hold in purse.holds if hold.until <= self.now]:
            self._let_go(purse, hold)
        self._expire(purse)

    def _expire(self, purse):
        for lot in purse.lots:
            if lot.expires <= self.now:
                purse.expired += lot.usable
                lot.usable = 0

    def _pay(self, purse):
        """A debt is paid as soon as there is something, by the points that would be spent first."""
        for lot in sorted(purse.lots, key=Lot.turn):
            paid = min(lot.usable, purse.debt)
            lot.usable -= paid
            purse.debt -= paid

    # What people do

    def earn(self, owner, points, *, at, delay=0, life=None):
        purse = self.purse(owner)
        active = at + delay
        lot = Lot(next(self.numbers), at, active, FOR_EVER if life is None else active + life, pending=points)
        purse.lots.append(lot)
        purse.earned += points
        self._day(purse)
        return Earning(owner, lot, points)

    def _take(self, owner, points):
        if points > self.balance(owner):
            raise Refused
        taken = []
        for lot in sorted(self.purse(owner).lots, key=Lot.turn):
            part = min(lot.usable, points - len(taken))
            lot.usable -= part
            taken += [lot] * part
        return taken

    def redeem(self, owner, points):
        lots = self._take(owner, points)
        self.purse(owner).spent += points
        return Spend(owner, lots)

    def take_away(self, owner, points):
        self._take(owner, points)
        self.purse(owner).reversed += points

    def hold(self, owner, points, days):
        hold = Spend(owner, self._take(owner, points), until=self.now + days, is_open=True)
        self.purse(owner).holds.append(hold)
        return hold

    def commit(self, hold):
        self._close(hold)
        self.purse(hold.owner).spent += len(hold.lots)

    def release(self, hold):
        if not hold.is_open:
            raise Refused
        self._let_go(self.purse(hold.owner), hold)
        self._expire(self.purse(hold.owner))

    def _close(self, hold):
        if not hold.is_open:
            raise Refused
        hold.is_open = False
        self.purse(hold.owner).holds.remove(hold)

    def _let_go(self, purse, hold):
        self._close(hold)
        for lot in hold.lots:
            lot.usable += 1
        self._pay(purse)

    def give_back(self, spend, points, grace):
        if points > len(spend.lots):
            raise Refused
        purse = self.purse(spend.owner)
        back = [spend.lots.pop() for _ in range(points)]
        late = [lot for lot in back if lot.expires <= self.now and grace]
        for lot in back:
            lot.usable += lot not in late
        if late:
            earned = min(lot.earned for lot in late)
            purse.lots.append(Lot(next(self.numbers), earned, self.now, self.now + grace, usable=len(late)))
        purse.spent -= points
        self._pay(purse)
        self._expire(purse)

    def reverse(self, earning, points, policy):
        """How many were taken."""
        if earning.taken + points > earning.points:
            raise Refused
        purse, own = self.purse(earning.owner), earning.lot
        others = sorted((lot for lot in purse.lots if lot is not own), key=Lot.turn)
        taken = _out_of([own], "pending", points)
        taken += _out_of([own], "usable", points - taken)
        taken += _out_of(others, "pending", points - taken)
        if policy != "only_pending":
            taken += _out_of(others, "usable", points - taken)
        if policy == "allow_negative":
            purse.debt += points - taken
            taken = points
        purse.reversed += taken
        earning.taken += taken
        return taken

    def merge(self, into, other):
        target, gone = self.purse(into), self.purse(other)
        if target is gone or target.holds or gone.holds:
            raise Refused
        target.lots += gone.lots
        for name in ("debt", "earned", "spent", "expired", "reversed"):
            setattr(target, name, getattr(target, name) + getattr(gone, name))
        self.leads_to[self._root(other)] = self._root(into)
        gone.lots, gone.debt = [], 0
        self._pay(target)

    def _root(self, owner):
        return next(name for name, purse in self.purses.items() if purse is self.purse(owner))


def _out_of(lots, kind, wanted):
    taken = 0
    for lot in lots:
        part = min(getattr(lot, kind), wanted - taken)
        setattr(lot, kind, getattr(lot, kind) - part)
        taken += part
    return taken
