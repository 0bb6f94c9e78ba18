"""The lists that planted people are made from, in the normal form of `norm-1`, the most common first.

Names and towns are common ones of the United States, by origin; streets are made of a name and a kind. Who has which is
drawn, and telephone and social security numbers are drawn too, the latter with a beginning that none has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Names of one origin. `parts` of a thousand people are of it; `double`: so many of them have two last names."""

    name: str
    parts: int
    double: int
    first_names: Mapping[str, tuple[str, ...]]
    last_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A town: its name, its state's code, the first three digits of its ZIP codes and of its telephone numbers."""

    city: str
    state: str
    zip_prefix: str
    area_code: str


def _origin(name: str, parts: int, female: str, male: str, last: str, *, double: int = 0) -> Origin:
    first_names = MappingProxyType({"f": tuple(female.split()), "m": tuple(male.split())})
    return Origin(name=name, parts=parts, double=double, first_names=first_names, last_names=tuple(last.split()))


ORIGINS: Final = (
    _origin(
        "english",
        440,
        "mary jennifer elizabeth sarah jessica emily ashley samantha amanda margaret katherine rachel rebecca victoria"
        " susan patricia deborah nicole abigail natalie teresa dorothy kimberly alexandra julia olivia hannah grace",
        "james john robert michael william david joseph thomas christopher daniel matthew anthony andrew joshua samuel"
        " benjamin nicholas jonathan edward timothy richard charles kenneth steven gregory nathaniel tyler ethan",
        "smith johnson williams brown jones davis miller wilson moore taylor anderson thomas jackson white harris"
        " martin thompson robinson clark lewis lee walker hall allen young king wright hill green adams baker nelson"
        " carter mitchell roberts turner phillips campbell parker evans edwards collins stewart morris rogers reed cook"
        " morgan",
    ),
    _origin(
        "spanish",
        220,
        "maria sofia isabella valentina camila gabriela daniela andrea alejandra lucia carmen rosa guadalupe elena"
        " mariana veronica patricia adriana",
        "jose juan luis carlos jesus miguel angel antonio francisco manuel alejandro diego jorge ricardo eduardo"
        " fernando javier roberto",
        "garcia rodriguez martinez hernandez lopez gonzalez perez sanchez ramirez torres flores rivera gomez diaz reyes"
        " morales cruz ortiz gutierrez chavez ramos ruiz mendoza alvarez jimenez castillo romero vasquez moreno vargas",
        double=400,
    ),
    _origin(
        "german",
        60,
        "anna ingrid karin heidi ursula greta helga monika",
        "hans karl otto kurt fritz peter stefan markus",
        "schmidt mueller schneider fischer weber meyer wagner becker schulz hoffmann koch bauer richter klein wolf",
    ),
    _origin(
        "slavic",
        60,
        "anna olga elena natalia irina katarzyna agnieszka svetlana",
        "ivan alexander sergei dmitri pavel tomasz piotr andrei",
        "kowalski novak ivanov petrov wisniewski kaminski volkov popov horvat kravchenko shevchenko zielinski sokolov",
    ),
    _origin(
        "indian",
        60,
        "priya anjali lakshmi deepa kavita sunita pooja meera",
        "raj amit sanjay vijay arjun rahul anil suresh",
        "patel singh kumar sharma shah gupta reddy khan rao desai mehta nair iyer joshi kaur",
    ),
    _origin(
        "chinese",
        50,
        "mei ling xiu yan jing hui fang lan",
        "wei jun ming hao lei jian feng bo",
        "wang li zhang chen liu yang huang wu zhao zhou lin xu sun ma zhu",
    ),
    _origin(
        "vietnamese",
        40,
        "thi linh hoa huong mai thuy lan trang",
        "van minh duc hung tuan quang thanh long",
        "nguyen tran le pham hoang phan vu dang bui ho ngo duong ly",
    ),
    _origin(
        "arabic",
        40,
        "fatima aisha mariam layla noor zahra amina yasmin",
        "mohammed ahmed ali omar hassan ibrahim yusuf khalid",
        "hassan ahmed ali ibrahim mohamed hussein khalil saleh mansour haddad nasser farah",
    ),
    _origin(
        "west african",
        30,
        "ama amara fatou aminata ngozi chioma adaeze abena",
        "kofi kwame emeka chidi mamadou ousmane tunde kwabena",
        "mensah diallo okafor adeyemi traore owusu okonkwo balogun toure asante bello keita",
    ),
)

_STREETS: Final = (
    "main oak park maple cedar washington pine lk hl elm walnut church spring highland jefferson lincoln madison"
    " river mill sunset willow chestnut franklin jackson cherry dogwood meadow forest prospect school adams magnolia"
    " liberty laurel hickory birch sycamore vly union locust"
)
STREETS: Final = tuple(_STREETS.split())
STREET_KINDS: Final = ("st", "ave", "rd", "dr", "ln", "ct", "way", "blvd", "pl", "cir")

_TOWNS: Final = """
new york|ny|100|212
los angeles|ca|900|213
chicago|il|606|312
houston|tx|770|713
phoenix|az|850|602
philadelphia|pa|191|215
san antonio|tx|782|210
san diego|ca|921|619
dallas|tx|752|214
jacksonville|fl|322|904
ft worth|tx|761|817
columbus|oh|432|614
charlotte|nc|282|704
indianapolis|in|462|317
seattle|wa|981|206
denver|co|802|303
boston|ma|021|617
nashville|tn|372|615
portland|or|972|503
detroit|mi|482|313
memphis|tn|381|901
louisville|ky|402|502
baltimore|md|212|410
milwaukee|wi|532|414
albuquerque|nm|871|505
fresno|ca|937|559
sacramento|ca|958|916
kansas city|mo|641|816
atlanta|ga|303|404
omaha|ne|681|402
minneapolis|mn|554|612
tulsa|ok|741|918
new orleans|la|701|504
wichita|ks|672|316
st paul|mn|551|651
springfield|il|627|217
richmond|va|232|804
birmingham|al|352|205
spokane|wa|992|509
des moines|ia|503|515
"""

TOWNS: Final = tuple(
    Town(city=city, state=state, zip_prefix=zip_prefix, area_code=area_code)
    for city, state, zip_prefix, area_code in (line.split("|") for line in _TOWNS.strip().split("\n"))
)
