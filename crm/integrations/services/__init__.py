"""The verbs of the room: connections that are asked, subscriptions that are told."""
