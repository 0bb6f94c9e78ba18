"""Names of many languages: of some from mimesis, of others short lists of the most common ones, in Latin letters.

A few last names serve most Vietnamese, Korean and Chinese people, which is hard on linking and must not be left out of
a test of fairness. Shares of last names are rounded from public statistics; given names are common ones, all alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Final

from mimesis import Person as Mimesis
from mimesis.enums import Gender
from mimesis.locales import Locale

SEXES: Final = ("F", "M")

FROM_MIMESIS: Final = MappingProxyType({
    "English": Locale.EN,
    "Spanish": Locale.ES,
    "Portuguese": Locale.PT_BR,
    "German": Locale.DE,
    "Polish": Locale.PL,
    "Turkish": Locale.TR,
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NameList:
    """Names of one language: last names with their shares in percent, given names by sex with spaces between."""

    last: Mapping[str, int]
    women: str
    men: str


LISTED: Final[Mapping[str, NameList]] = MappingProxyType({
    "Vietnamese": NameList(
        last={"Nguyen": 38, "Tran": 11, "Le": 10, "Pham": 7, "Hoang": 5, "Phan": 5, "Vu": 4, "Dang": 2, "Bui": 2,
              "Do": 2, "Ho": 2, "Ngo": 2, "Duong": 2, "Ly": 1, "Dinh": 1, "Trinh": 1, "Mai": 1},
        women="Anh Chi Dung Giang Ha Hanh Hoa Hong Huong Lan Linh Loan Mai My Nga Ngoc Nhung Oanh Phuong Quyen Thanh "
              "Thao Thi Thu Thuy Trang Trinh Tuyet Uyen Van Xuan Yen",
        men="An Anh Bao Binh Cuong Dat Duc Dung Duy Hai Hieu Hoang Hung Huy Khanh Khoa Kien Long Minh Nam Phong Phuc "
            "Quan Quang Son Tam Thang Thanh Tien Trung Tuan Viet Vinh",
    ),
    "Korean": NameList(
        last={"Kim": 21, "Lee": 15, "Park": 8, "Choi": 5, "Jung": 5, "Kang": 2, "Cho": 2, "Yoon": 2, "Jang": 2,
              "Lim": 2, "Han": 2, "Oh": 2, "Seo": 2, "Shin": 2, "Kwon": 1, "Hwang": 1, "Ahn": 1, "Song": 1},
        women="Ji-woo Seo-yeon Min-ji Soo-jin Hye-jin Eun-ji Ji-hye Yu-na Ha-eun Seo-hyun Mi-kyung Jung-sook Ji-eun "
              "Su-bin Ye-jin Da-eun Na-yeon Chae-won",
        men="Min-jun Seo-joon Ji-hoon Sung-min Hyun-woo Jun-ho Dong-hyun Sang-hoon Young-ho Jae-hyun Tae-yang Do-yun "
            "Kyung-soo Jin-woo Seung-ho Woo-jin",
    ),
    "Chinese": NameList(
        last={"Wang": 8, "Li": 8, "Zhang": 7, "Liu": 6, "Chen": 5, "Yang": 4, "Huang": 3, "Zhao": 2, "Wu": 2,
              "Zhou": 2, "Xu": 2, "Sun": 2, "Ma": 2, "Zhu": 1, "Hu": 1, "Lin": 1, "Guo": 1, "He": 1, "Gao": 1},
        women="Fang Na Min Jing Li Yan Juan Xia Xiulan Ying Hui Yu Mei Xin Yue Xue Qian Ting Jie Lan",
        men="Wei Qiang Lei Jun Yang Yong Jie Tao Ming Chao Bo Hao Peng Bin Gang Jian Feng Kai Yu Hui",
    ),
})  # fmt: skip

ORIGINS: Final = (*FROM_MIMESIS, *LISTED)


class Namer:
    """Draws names of each origin; the same seed draws the same names."""

    def __init__(self, seed: int) -> None:
        self._people = {origin: Mimesis(locale, seed=seed) for origin, locale in FROM_MIMESIS.items()}

    def family(self, origin: str, rng: Random) -> str:
        """Draw a last name; in Spanish there are two of them, as often as not."""
        if origin in LISTED:
            shares = LISTED[origin].last
            return rng.choices(list(shares), list(shares.values()))[0]
        last = self._people[origin].last_name()
        return f"{last} {self._people[origin].last_name()}" if origin == "Spanish" and rng.random() < 0.5 else last

    def given(self, origin: str, sex: str, rng: Random) -> str:
        """Draw a first name of a woman (`F`) or a man (`M`)."""
        if origin in LISTED:
            return rng.choice((LISTED[origin].women if sex == "F" else LISTED[origin].men).split())
        return self._people[origin].first_name(gender=Gender.FEMALE if sex == "F" else Gender.MALE)
