"""The systems, in the order of the pages, and what each is for."""

from __future__ import annotations

from runner.files.tree import PLATFORM

TITLES = {
    PLATFORM: "Platform",
    "hugo": "Hugo",
    "aurum": "Aurum",
    "chatvrm": "ChatVRM",
    "othello": "Othello",
    "thinking_partner": "Thinking Partner",
}

PURPOSE = {
    PLATFORM: (
        "The small layer that every system stands on: the API roles, Supabase's `auth` where it is missing, and "
        "functions that several systems share. Its validators say what an e-mail address or a version looks like, its "
        "trigger functions keep states, timestamps and columns true. It has no tables and stores nothing of anybody."
    ),
    "hugo": (
        "For coaching apps that share one coach. Each app has a personality and knowledge bases of its own; people "
        "have conversations, progress and memories, which only they and services read. One call gives an app all that "
        "the next answer needs, and memories fade, expire and follow the retention that a person chose."
    ),
    "aurum": (
        "For people who plan their lives: pillars hold areas, areas projects, projects tasks, beside journals, daily "
        "reflections and tracked time. Insights, statistics and embeddings are made of these rows and kept true as "
        "they change. An installation of the base is upgraded in place, without losing a fact."
    ),
    "chatvrm": (
        "For makers of talking characters with a model, a voice and knowledge. Visitors talk to what is published, "
        "with or without an account; makers see the figures of each day, and nobody else gets at a character's "
        "knowledge. Messages are partitioned by month, and API keys are stored as hashes only."
    ),
    "othello": (
        "For an assistant that acts only as far as its user consents. Every scope has a tier, from passive to "
        "autonomous, and no activity is executed without the tier, the answer and the ethical validation that it "
        "needs. Each change of consent and each validation is written down and stays."
    ),
    "thinking_partner": (
        "For an assistant that thinks along: memories, chat sessions and documents, searched by meaning, beside work "
        "tickets, scheduled messages and billing events. What belongs to a project goes with it, and a search finds "
        "all that it should, for few rows and for many. Workers take tickets, documents and messages once."
    ),
}
