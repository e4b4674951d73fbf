/**
 * The `seq` of the oldest record that something beside the log has still to read, such as a forwarder by its position file
 * in the folder of the log; undefined where nothing has. Retention leaves a file alone that has this record or later ones,
 * so that neither the record nor a place in the file is taken away under a reader. Rejects where it cannot be told: then
 * nothing is deleted.
 */
export type OldestNeeded = (folder: string) => Promise<number | undefined>

/** For logs that nobody reads along. */
export const nothingNeeded: OldestNeeded = async () => undefined
