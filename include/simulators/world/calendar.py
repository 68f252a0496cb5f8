"""When the company works: Monday to Friday, 08:00 to 18:00 in Sao Paulo, less public holidays."""

from datetime import date, timedelta

from .times import DAY, HOUR, LOCAL_OFFSET, local_date, local_midnight

OPENS = 8 * HOUR
CLOSES = 18 * HOUR

HOLIDAYS: dict[date, str] = {
    date.fromisoformat(day): name
    for day, name in (
        ("2025-01-01", "Confraternização Universal"),
        ("2025-03-03", "Carnaval"),
        ("2025-03-04", "Carnaval"),
        ("2025-04-18", "Sexta-feira Santa"),
        ("2025-04-21", "Tiradentes"),
        ("2025-05-01", "Dia do Trabalho"),
        ("2025-06-19", "Corpus Christi"),
        ("2025-09-07", "Independência"),
        ("2025-10-12", "Nossa Senhora Aparecida"),
        ("2025-11-02", "Finados"),
        ("2025-11-15", "Proclamação da República"),
        ("2025-11-20", "Consciência Negra"),
        ("2025-12-25", "Natal"),
        ("2026-01-01", "Confraternização Universal"),
        ("2026-02-16", "Carnaval"),
        ("2026-02-17", "Carnaval"),
        ("2026-04-03", "Sexta-feira Santa"),
        ("2026-04-21", "Tiradentes"),
        ("2026-05-01", "Dia do Trabalho"),
        ("2026-06-04", "Corpus Christi"),
        ("2026-09-07", "Independência"),
        ("2026-10-12", "Nossa Senhora Aparecida"),
        ("2026-11-02", "Finados"),
        ("2026-11-15", "Proclamação da República"),
        ("2026-11-20", "Consciência Negra"),
        ("2026-12-25", "Natal"),
    )
}


def is_business_day(day: date, *, holidays: bool = True) -> bool:
    return day.weekday() < 5 and not (holidays and day in HOLIDAYS)


def in_business_hours(at: int) -> bool:
    return OPENS <= (at + LOCAL_OFFSET) % DAY < CLOSES and is_business_day(local_date(at))


def next_business_instant(at: int) -> int:
    """The instant itself while the company works, otherwise the next opening."""
    if in_business_hours(at):
        return at
    day = local_date(at)
    if (at + LOCAL_OFFSET) % DAY >= OPENS:
        day += timedelta(days=1)
    while not is_business_day(day):
        day += timedelta(days=1)
    return local_midnight(day) + OPENS


def business_seconds(start: int, end: int, *, holidays: bool = True) -> int:
    """Whole seconds of working time between two instants, counted day by day."""
    total = 0
    day = local_date(start)
    while True:
        midnight = local_midnight(day)
        if midnight >= end:
            return total // 1000
        if is_business_day(day, holidays=holidays):
            total += max(0, min(end, midnight + CLOSES) - max(start, midnight + OPENS))
        day += timedelta(days=1)


def business_instant(start: int, duration: int, *, holidays: bool = True) -> int:
    """The instant by which so much working time has passed since a start."""
    day, left = local_date(start), duration
    while True:
        opens, closes = local_midnight(day) + OPENS, local_midnight(day) + CLOSES
        begin = max(start, opens)
        if is_business_day(day, holidays=holidays) and begin < closes:
            if left <= closes - begin:
                return begin + left
            left -= closes - begin
        day += timedelta(days=1)
