"""Pages in a real browser: headless chromium of Debian, driven by Playwright."""
