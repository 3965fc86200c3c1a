// Serves Google's sign-in of the emulator on a free port of 127.0.0.1 until standard input ends. Takes the
// redirect address as its argument, and prints its own as one line of JSON.
import { createServer } from 'node:net'
import { createEmulator } from 'emulate'

const port = await new Promise((resolve, reject) => {
  const probe = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const emulator = await createEmulator({
  service: 'google',
  port,
  baseUrl: `http://127.0.0.1:${port}`,
  seed: {
    google: {
      users: [{ email: 'student@example.com', name: 'A Student' }],
      oauth_clients: [{ client_id: 'schedgen-test', client_secret: 'emulated-secret', name: 'schedgen', redirect_uris: [process.argv[2]] }],
    },
  },
})
console.log(JSON.stringify({ url: emulator.url }))
process.stdin.resume()
process.stdin.once('end', async () => {
  await emulator.close()
  process.exit(0)
})
