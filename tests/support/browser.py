"""Chromium, logged in through Airflow's login form."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

SCREENSHOTS = Path(os.environ.get("SUPPORT_SCREENSHOTS", ""))


@contextmanager
def logged_in(url: str, user: str, password: str, profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a session of this user."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.fail("chromium and chromedriver are needed on PATH (Debian: apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1900,1100"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={profile}")
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        opened.get(url)
        seen(opened, "input[name=username]").send_keys(user)
        opened.find_element(By.CSS_SELECTOR, "input[name=password]").send_keys(password)
        opened.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
        WebDriverWait(opened, 60).until(expected.presence_of_element_located((By.LINK_TEXT, "Dags")))
        yield opened
    finally:
        opened.quit()


def seen(browser: webdriver.Chrome, selector: str) -> WebElement:
    """The first such element, as soon as it can be clicked."""
    return WebDriverWait(browser, 60).until(expected.element_to_be_clickable((By.CSS_SELECTOR, selector)))


def keep(browser: webdriver.Chrome, name: str) -> None:
    """Keep a picture where SUPPORT_SCREENSHOTS says, for people and for the documentation."""
    if SCREENSHOTS.name:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        browser.save_screenshot(str(SCREENSHOTS / f"{name}.png"))
