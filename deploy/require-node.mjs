// Stops with a plain sentence where Node is too old, instead of a stack trace three steps later. Must itself run on any Node.
const needed = 24
const found = Number(process.versions.node.split('.')[0])

if (found < needed) {
  console.error(
    `Sallyport needs Node ${needed} or newer and found ${process.version} (${process.execPath}).\n` +
      'On Linux (x64, arm64) `npm ci` brings its own as an optional package, for use by npm scripts: if it is missing,\n' +
      '`npm ci --include=optional` says why. Elsewhere, install Node from https://nodejs.org/.',
  )
  process.exit(1)
}
