/** Name of the model that answers where no real one is found. */
export const DEMO_MODEL = 'demo'

/**
 * The demo model's answer. The address and the card number are made up (the number passes the check of card numbers
 * and is a well-known test number), so that a caller can see output redaction at work.
 */
export function demoText(prompt: string): string {
  const said = prompt.length > 80 ? `${prompt.slice(0, 80)}…` : prompt
  return [
    'This is the built-in demo model of Sallyport: no real model was asked. ',
    said ? `You wrote: "${said}". ` : '',
    'To show the output guard at work, here is some made-up personal data: ',
    'write to jane.doe@example.com, or pay with card 4111 1111 1111 1111. ',
    'Start a model server on port 8080, 8000 or 11434 and restart to talk to a real one.',
  ].join('')
}

/** Cuts a text into words with the space that follows them: what stands for tokens here. */
export function demoTokens(text: string): string[] {
  return text.match(/\S+\s*/g) ?? []
}
