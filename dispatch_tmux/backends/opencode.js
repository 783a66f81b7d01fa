// A plugin for opencode (1.18), loaded for our workers only: it tells what goes on as files in the task's signals/, and
// takes words and answers from the task's door/ (docs/backends.md has the protocol). No port is opened.
import fs from "node:fs"
import path from "node:path"

export const Dispatch = async ({ client }) => {
  const task = process.env.DISPATCH_TASK_DIR
  if (!task) return {}
  const signals = path.join(task, "signals")
  const door = path.join(task, "door")
  const children = new Set() // sessions of subagents
  const pending = new Map() // id -> what is asked
  let session = ""
  let manner = {} // the agent and model of the person's last message: ours must not leave plan mode
  let said = ""
  let count = 0

  const write = (folder, name, data) => {
    const file = path.join(folder, name)
    fs.writeFileSync(`${file}.tmp`, JSON.stringify(data), { mode: 0o600 })
    fs.renameSync(`${file}.tmp`, file)
  }
  const tell = (event, more = {}) => {
    const key = JSON.stringify([event, more])
    if (key === said && event !== "submitted") return
    said = key
    try {
      write(signals, `${Date.now()}-${String(count++).padStart(9, "0")}.json`, { event, ...more })
    } catch {} // the task was removed
  }
  const post = async (url, body) => {
    const r = await client._client.post({ url, body, headers: { "Content-Type": "application/json" } })
    if (r.error) throw new Error(JSON.stringify(r.error).slice(0, 300))
  }

  const answer = async ({ id, choices = [], text = "" }) => {
    const asked = pending.get(id)
    if (!asked) throw new Error("it is not asked any more")
    if (asked.permission) return post(`/permission/${id}/reply`, { reply: ["once", "always", "reject"][choices[0] - 1] })
    const options = asked.questions[0].options.map((o) => o.label)
    const picked = text ? [text] : choices.map((n) => options[n - 1])
    if (asked.questions.length > 1 || !picked.length || picked.some((p) => p === undefined)) throw new Error("not so")
    return post(`/question/${id}/reply`, { answers: [picked] })
  }
  const prompt = ({ text }) => {
    if (!session) throw new Error("no session yet")
    return post(`/session/${session}/prompt_async`, { ...manner, parts: [{ type: "text", text }] })
  }
  const serve = async (name) => {
    const rid = name.slice(0, -".json".length)
    const taken = path.join(door, `${rid}.taken`)
    try {
      fs.renameSync(path.join(door, name), taken) // whoever moves it has it
    } catch {
      return
    }
    let reply = { ok: true }
    try {
      const request = JSON.parse(fs.readFileSync(taken, "utf8"))
      await { prompt, answer }[request.do](request)
    } catch (e) {
      reply = { ok: false, why: String(e.message ?? e) }
    }
    write(door, `${rid}.done`, reply)
    fs.rmSync(taken, { force: true })
  }
  const look = () => {
    try {
      for (const name of fs.readdirSync(door).filter((n) => n.endsWith(".json")).sort()) serve(name).catch(() => {})
    } catch {}
  }
  try {
    fs.mkdirSync(door, { recursive: true, mode: 0o700 })
    fs.watch(door, look)
    setInterval(look, 500).unref?.() // where the watch says nothing
    write(door, "open", { pid: process.pid })
  } catch {}

  return {
    "chat.message": async (input, { parts }) => {
      if (children.has(input.sessionID)) return
      if (session !== input.sessionID) write(task, "session", (session = input.sessionID))
      if (input.agent) manner = { agent: input.agent, model: input.model }
      const text = parts.filter((p) => p.type === "text" && !p.synthetic).map((p) => p.text).join("\n")
      tell("submitted", { prompt: text })
    },
    "tool.execute.before": async ({ tool, sessionID }) => {
      if (sessionID === session) tell("tool", { tool })
    },
    event: async ({ event: { type, properties: p } }) => {
      if (type === "session.created" && p.info?.parentID) children.add(p.info.id)
      if (type === "permission.asked") pending.set(p.id, { permission: true })
      if (type === "question.asked") pending.set(p.id, { questions: p.questions })
      if (type === "permission.asked") {
        const question = `Permission required: ${[p.permission, ...(p.patterns ?? [])].join(" ")}`
        tell("asked", { ref: p.id, question, choices: ["Allow once", "Allow always", "Reject"], fixed: true })
      }
      if (type === "question.asked") {
        const [{ question, options, multiple }, ...more] = p.questions // several stand on pages of their own
        tell("asked", { ref: p.id, ...(more.length ? {} : { question, choices: options.map((o) => o.label), multiple }) })
      }
      if (/^(permission|question)\.(replied|rejected)$/.test(type)) {
        pending.delete(p.requestID)
        tell("replied", { ref: p.requestID })
      }
      if (!session || p?.sessionID !== session) return
      if (type === "session.status") tell(p.status.type === "idle" ? "idle" : "busy")
      if (type === "session.error" && p.error?.name !== "MessageAbortedError") tell("error")
      const tokens = type === "message.updated" && p.info.role === "assistant" && p.info.tokens
      const total = tokens ? tokens.total ?? tokens.input + tokens.output + tokens.cache.read + tokens.cache.write : 0
      if (total) tell("used", { context: total })
      if (type === "session.updated" && p.info?.cost) tell("cost", { cost: p.info.cost })
    },
  }
}
