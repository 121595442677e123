"""The conversations: aiogram routers, one file a subject. A handler takes an event and its context and returns screens;
it sends nothing and knows no channel."""
