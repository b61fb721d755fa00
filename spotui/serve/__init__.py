"""The app in a browser: who may come in, a process of the app for each browser, and the page around it."""
