"""Names that stand for one another: short forms and everyday variants of first names, in English and Spanish.

Names of one line are one set; the first names the set. A name of no set is a set by itself. The list is part of
`fields-1` (docs/protocol.md section 13), so it never changes under that name. Facts of usage, put together by hand.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_SETS: Final = """
abigail abby gail
abraham abe
alejandra ale
alejandro alex alexander al sasha xander
alfredo fredo
alice allie
andrew andy drew
angela angie
anthony tony
antonia toni
antonio tono
barbara barb babs
benjamin ben benny benji
bradley brad
calvin cal
carolyn caroline carol carrie
catherine katherine kathryn kathleen cathy kathy kate katie kat kay katy
cecilia ceci
charles charlie chuck chas
christina christine tina chrissy
christopher chris topher
cynthia cindy
daniel dan danny
david dave davey
deborah debra debbie deb
dolores lola
dominic dom nick
donald don donnie
dorothy dot dottie
douglas doug
edward ed eddie ted teddy ned
eleanor ellie nell nora
elizabeth liz lizzie beth betty eliza betsy elisa
emily em emmy
enrique quique
eugene gene
evelyn evie
florence flo
frances fran francie
francis frank frankie
francisco paco pancho
frederick fred freddie
gabriel gabe
gabriela gaby
gerald jerry gerry
gloria glory
graciela chela
gregory greg
gustavo gus
guadalupe lupe lupita
harold hal harry
helen nellie
henry hank
ignacio nacho
isabel isabella bella izzy
isaac ike
jacob jake jacobo
jacqueline jackie
james jim jimmy jamie
janet jan
jeffrey jeff geoffrey geoff
jennifer jen jenny jenna
jessica jess jessie
jesus chuy
john johnny jack jon
jonathan jonny nathan
jose pepe
josefina pepa
joseph joe joey
joshua josh
judith judy
julia julie
kenneth ken kenny
kimberly kim
kristen kristin kris
lawrence larry
leonard leo lenny leon
leonardo nardo
lillian lily lil
louis lou louie lewis
luis lucho
manuel manny manolo
margaret maggie meg peggy marge margie greta rita
maria mary mia marie
maria-teresa maite
martin marty
matthew matt
maximilian max
melissa mel missy
michael mike mick mickey mikey
michelle shelly
mitchell mitch
nancy nan
natalie nat
nathaniel nate
nicholas nic nico
nicole nikki
oliver ollie
pamela pam
patricia pat patty trish tricia
patrick paddy
peter pete
philip phil phillip
priscilla cilla
rachel rae
raymond ray
rebecca becky becca
richard rick rich dick ricky richie
robert bob bobby rob robbie bert
roberto beto
rodolfo rudy fito
ronald ron ronnie
rosemary rosie rose
russell russ
samantha sam sammy
samuel samuelito
sandra sandy
sarah sally sara sadie
sebastian seb
sergio checo
sophia sophie sofia
stanley stan
stephanie steph
stephen steven steve
susan sue susie suzanne
teresa theresa terry tess tere
theodore theo
thomas tom tommy
timothy tim timmy
valentina vale
valerie val
vanessa nessa
veronica vero ronni
victor vic
victoria vicky tori
vincent vince vinny
virginia ginny
walter walt wally
wesley wes
william will bill billy liam willie
xavier javier javi
zachary zach zack
"""

NICKNAME_SETS: Final = tuple(tuple(line.split()) for line in _SETS.strip().split("\n"))
"""Every set; no name is in two."""

_SET_OF: Final[Mapping[str, str]] = MappingProxyType({name: names[0] for names in NICKNAME_SETS for name in names})


def nickname_set(first_name: str) -> str:
    """Give the name of the set that a first name belongs to: itself where it is in none, "" where there is none."""
    return _SET_OF.get(first_name, first_name)
