"""The menu in groups: each screen is reached, and the group of the page is open."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from stream_attr.console.app import SCREENS
from stream_attr.console.roles import Role
from stream_attr.console.screens.menu import GROUPS


def menu_of(browser, address):
    """The rows of links of a page's menu: of each link where it leads, and whether it is marked."""
    nav = browser.get(address).text.partition('<nav class="menu"')[2].partition("</nav>")[0]
    return [
        [(path, bool(mark)) for path, mark in re.findall(r'<a href="(/[^"?]*)[^"]*"( aria-current)?', row)]
        for row in nav.split("<ul")[1:]
    ]


def test_every_screen_of_the_menu_is_in_one_group():
    listed = Counter(path for _, paths in GROUPS for path in paths)
    assert listed == Counter(one.path for one in SCREENS if one.in_menu)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER, Role.AUDITOR, Role.AGENT])
def test_every_screen_is_two_links_away_at_most(people, role):
    browser = people.logged_in(str(role))
    first = menu_of(browser, "/orders")[0]
    reached = {path for path, _ in first}
    for path, _ in first:
        for row in menu_of(browser, path)[1:]:
            reached |= {one for one, _ in row}
    assert reached == {one.path for one in SCREENS if one.in_menu and role in one.roles}


@pytest.mark.parametrize(
    ("page", "group", "screen"),
    [("/pending", "/team", "/pending"), ("/order", "/team", "/orders"), ("/compare", "/rules", "/compare"),
     ("/rules/settings", "/rules", "/rules")],
)  # fmt: skip
def test_the_group_of_a_page_is_open_and_marked(people, page, group, screen):
    shop = people.shops[0]
    order = next(one["order_id"] for one in people.traffic.decisions if one["shop_id"] == shop)
    groups, screens = menu_of(people.logged_in("admin"), f"{page}?shop={shop}&order={order}")
    assert [path for path, is_marked in groups if is_marked] == [group]
    assert [path for path, is_marked in screens if is_marked] == [screen]


def test_few_screens_have_no_groups(people):
    browser = people.logged_in("agent")
    [row] = menu_of(browser, "/pending")
    expected = ["/agent", "/orders", "/pending", "/losses", "/receptions", "/appeals", "/pay"]
    assert [path for path, _ in row] == expected
