// Loaded before Azurite: the parent holds the other end of standard input, and when that closes,
// also by a kill that leaves the parent no time, the emulator stops too.
process.stdin.on('close', () => process.kill(process.pid, 'SIGTERM'))
process.stdin.resume()
// Watching alone must not keep the process alive once the servers have closed.
process.stdin.unref()
