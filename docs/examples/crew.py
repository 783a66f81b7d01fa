"""Three demo workers in the git repository that this is run in: one asks, one works on a branch, one comes after it."""

import dispatch_tmux as dispatch

project = dispatch.Project.find()

storage = dispatch.run(
    project, "set up storage", model="demo", id="storage",
    items=["ask: Which database? (choices: SQLite | PostgreSQL)", "write the schema"],
)  # fmt: skip
login = dispatch.run(project, "rework the login", model="demo", id="login", items=["write login.py"], worktree=True)
docs = dispatch.run(project, "document the login", model="demo", id="docs", after=login)

left = {storage.id, login.id, docs.id}
while left:
    for news in dispatch.wait(project, timeout=120):
        if news.question:
            print(news.task.id, "asks:", news.question.text.splitlines()[0])
            print("answered:", dispatch.answer(project, news.task, choice=2).answer)
        elif news.task.ended:
            print(news.task.id, news.task.state.value)
            left.discard(news.task.id)

print(dispatch.diff(project, login, stat=True))
merged = dispatch.merge(project, login, squash=True, commit="Rework the login")
print(f"{merged.task} is merged into {merged.into} ({merged.commit[:10]})")
dispatch.clean(project)
