"""WeChat groups by Wechaty, in two halves that speak HTTP to one another (`bot.wire`).

`desk` is the assistant's half, a channel like the others. The bridge is a process of its own (`bridge`): it holds the
connection to the gateway (`gateway`), and opens no database.
"""
