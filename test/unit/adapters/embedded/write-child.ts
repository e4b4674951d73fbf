import { Database } from '../../../../adapters/embedded/database.ts'

/** Writes fifty rows, a transaction each, into the database of the first argument. */
const [path = '', name = ''] = process.argv.slice(2)
const database = new Database(path, { busyMs: 5000 })
let written = 0
for (let at = 0; at < 50; at++) {
  const id = `${name}-${at}`
  written += database.transaction(() =>
    database.run('INSERT INTO revocation (id, until, document) VALUES (:id, 1, :id)', { id }),
  )
}
database.close()
console.log(written)
