// A real Wechaty gateway (wechaty-puppet-service) around the mock puppet, with a remote control on the loopback.
//
// env: GRPC_PORT, CONTROL_PORT, TOKEN; JOURNAL: a file of what was sent, one line of JSON each, which outlives the
// process; TLS_CERT and TLS_KEY (files) where the line is to be encrypted.
//
// What real puppets do and the mock one does not is added here: an id for what is sent, an echo of it as an event of
// the own account, recall, friend requests and room invitations.
import crypto from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import { FileBox } from 'file-box'
import * as PUPPET from 'wechaty-puppet'
import { PuppetMock, mock } from 'wechaty-puppet-mock'
import { PuppetServer } from 'wechaty-puppet-service'

const { GRPC_PORT, CONTROL_PORT, TOKEN, JOURNAL, TLS_CERT, TLS_KEY } = process.env
const HOST = '127.0.0.1'
const MESSAGE = PUPPET.types.Message

const mocker = new mock.Mocker()
mocker.createContact({ id: 'bot', name: '小助手', friend: true })

const counters = { start: 0, stop: 0 }
const faults = { fail: 0, delay: 0, dieAfterSend: 0 }
const friendships = new Map()
const done = []

const wait = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))
const journal = entry => fs.appendFileSync(JOURNAL, JSON.stringify({ ...entry, at: Date.now() }) + '\n')

class GatewayPuppet extends PuppetMock {
  async onStart () {
    counters.start += 1
    await super.onStart()
  }

  async onStop () {
    counters.stop += 1
    await super.onStop()
  }

  async take (conversation, payload, entry) {
    if (!this.isLoggedIn) throw new Error('not logged in')
    if (faults.delay) await wait(faults.delay)
    if (faults.fail > 0) {
      faults.fail -= 1
      throw new Error('the puppet refuses')
    }
    const id = crypto.randomUUID()
    const room = conversation.endsWith('@chatroom')
    mocker.MessageMock.create({
      id,
      talkerId: this.currentUserId,
      timestamp: Date.now(),
      ...(room ? { roomId: conversation, mentionIdList: entry.mentions ?? [] } : { listenerId: conversation }),
      ...payload,
    })
    journal({ id, conversation, ...entry })
    if (faults.dieAfterSend) process.exit(1)
    setImmediate(() => this.emit('message', { messageId: id }))
    return id
  }

  async messageSendText (conversation, text, mentions) {
    return this.take(conversation, { type: MESSAGE.Text, text }, { text, mentions: mentions ?? [] })
  }

  async messageSendFile (conversation, file) {
    const bytes = await file.toBuffer()
    const sha256 = crypto.createHash('sha256').update(bytes).digest('hex')
    const entry = { file: file.name, size: bytes.length, sha256 }
    return this.take(conversation, { type: MESSAGE.Attachment, filename: file.name, text: file.name }, entry)
  }

  async messageRecall (id) {
    const known = sent().some(entry => entry.id === id)
    if (known) done.push({ what: 'recall', id })
    return known
  }

  async friendshipRawPayload (id) {
    if (!friendships.has(id)) throw new Error('no such friendship')
    return friendships.get(id)
  }

  async friendshipAccept (id) {
    done.push({ what: 'friend', id })
    const asked = friendships.get(id)
    const confirmed = { ...asked, id: `${id}-confirmed`, type: PUPPET.types.Friendship.Confirm }
    friendships.set(confirmed.id, confirmed)
    setImmediate(() => this.emit('friendship', { friendshipId: confirmed.id }))
  }

  async roomInvitationAccept (id) {
    done.push({ what: 'invitation', id })
  }
}

function sent () {
  if (!fs.existsSync(JOURNAL)) return []
  return fs.readFileSync(JOURNAL, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line))
}

// Logged in as soon as a client has it started, as a puppet that remembers its login does.
let remembers = true
mocker.use(world => {
  if (remembers) world.login(world.ContactMock.load('bot'))
  return () => {}
})

const puppet = new GatewayPuppet({ mocker })
puppet.on('error', () => {})

let server
async function up () {
  if (server) return
  const tls = TLS_CERT
    ? { serverCert: fs.readFileSync(TLS_CERT, 'utf8'), serverKey: fs.readFileSync(TLS_KEY, 'utf8') }
    : { disable: true }
  server = new PuppetServer({ endpoint: `${HOST}:${GRPC_PORT}`, puppet, token: TOKEN, tls })
  await server.start()
}

async function down () {
  if (!server) return
  await server.stop()
  server = undefined
}

function message (given) {
  const id = given.id ?? crypto.randomUUID()
  const payload = {
    id,
    talkerId: given.from,
    timestamp: Date.now(),
    type: typeof given.type === 'number' ? given.type : MESSAGE[given.type ?? 'Text'],
    text: given.text ?? '',
    ...(given.room ? { roomId: given.room, mentionIdList: given.mentions ?? [] } : { listenerId: 'bot' }),
  }
  if (given.file) {
    payload.filename = given.file.name
    mocker.cacheFileBoxPayload.set(id, given.file.box ?? FileBox.fromBase64(given.file.base64, given.file.name).toJSON())
  }
  // Not by MessageMock.create, which wants its talker to be there: a real gateway tells what it was told.
  mocker.cacheMessagePayload.set(id, payload)
  for (let times = given.times ?? 1; times > 0; times -= 1) puppet.emit('message', { messageId: id })
  return id
}

function room ({ id, title, members }) {
  return mocker.createRoom({ id, topic: title, memberIdList: members, adminIdList: [], ownerId: members[0] })
}

const routes = {
  'GET /sent': () => sent(),
  'GET /done': () => done,
  'GET /state': () => ({ loggedIn: puppet.isLoggedIn, up: Boolean(server), counters }),
  'POST /people': people => people.map(person => mocker.createContact({ friend: true, ...person }).id),
  'POST /rooms': rooms => rooms.map(each => room(each).id),
  'POST /message': given => ({ id: message(given) }),
  'POST /faults': given => Object.assign(faults, given),
  'POST /emit': ({ event, payload }) => puppet.emit(event, payload),
  'POST /scan': ({ qrcode, status }) => mocker.scan(qrcode, status),
  'POST /logout': () => { remembers = false; return puppet.logout('by the tests') },
  'POST /login': () => { remembers = true; puppet.login('bot') },
  'POST /join': ({ room: id, who }) => mocker.RoomMock.load(id).add(mocker.ContactMock.load(who)).by(mocker.ContactMock.load('bot')),
  'POST /leave': ({ room: id, who }) => mocker.RoomMock.load(id).remove(mocker.ContactMock.load(who)).by(mocker.ContactMock.load(who)),
  'POST /title': ({ room: id, title, by }) => mocker.RoomMock.load(id).topic(title).by(mocker.ContactMock.load(by)),
  'POST /rename': ({ before, after }) => {
    const payload = mocker.cacheRoomPayload.get(before)
    mocker.cacheRoomPayload.delete(before)
    mocker.createRoom({ ...payload, id: after })
  },
  'POST /friend': ({ id, from, hello }) => {
    friendships.set(id, { id, contactId: from, hello, type: PUPPET.types.Friendship.Receive, ticket: 'ticket' })
    puppet.emit('friendship', { friendshipId: id })
  },
  'POST /down': down,
  'POST /up': up,
}

async function control (request, response) {
  let body = ''
  for await (const chunk of request) body += chunk
  const route = routes[`${request.method} ${request.url}`]
  try {
    const answer = await route(body ? JSON.parse(body) : {})
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? null) ?? 'null')
  } catch (error) {
    response.writeHead(500).end(String(error?.stack ?? error))
  }
}

await up()
const listening = http.createServer(control).listen(Number(CONTROL_PORT), HOST, () => {
  console.log(`READY ${listening.address().port}`)
})
process.on('SIGTERM', () => process.exit(0))
