// A real byte-level BPE tokenizer, learnt on the spot from the sample below. Deterministic.

/** Ordinary prose with the shapes that a privacy gateway cares about. */
const SAMPLE = `
The customer wrote to support on Monday and asked why the payment for the order had not arrived at the bank.
My name is Alice Johnson and I live at 42 Main Street, Springfield, near the station with the blue clock.
You can call me on +1 555 010 9999 or send an email to alice.johnson@example.com or bob@example.org at any time.
The social security number is 123-45-6789, the card number is 4111 1111 1111 1111 and it expires in 12/27.
The account is DE89 3704 0044 0532 0130 00, the server answers at 192.168.1.20 and https://www.example.com/path.
Please write back to the person who is responsible for the contract, and do not forget the date of birth, 1984-07-21.
What is the weather like in Paris today? It is sunny and warm, about 21 degrees, with a little wind in the evening.
I would like to know which of these messages have been read by other people and which of them have been deleted.
{"name": "get_weather", "arguments": {"location": "Paris", "unit": "celsius"}} {"type": "function", "id": "call"}
<tool_call>\n{"name": "lookup", "arguments": {"email": "bob@example.com", "phone": "+1 555 010 9999"}}\n</tool_call>
She said that they will be there when the meeting begins, because it was the only time that everyone could make it.
Thank you for your message. We will look into the matter and come back to you as soon as we can with more information.
He has been working for the company since the first of January and his manager is Maria Garcia from the Berlin office.
This is a test of the system, and this is another test; there are more words here so that the pieces look like English.
The quick brown fox jumps over the lazy dog while the doctor reads the patient record of Mr. Smith, number 0049 30 1234.
Some of the data should never leave the building: names, addresses, passwords, keys, tokens, health and money matters.
function return const let import from export default class number string boolean true false null undefined async await
`

export const CONTROL_TOKENS = [
  '<|endoftext|>',
  '<|im_start|>',
  '<|im_end|>',
  '<|fim_prefix|>',
  '<|fim_suffix|>',
  '<|fim_middle|>',
]
/** Whole tokens, but printed. */
export const MARKS = ['<tool_call>', '</tool_call>', '<think>', '</think>']

/** ChatML that knows tools and reasoning. */
export const CHAT_TEMPLATE = `{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
{{- '# Tools\\n\\nYou may call one or more functions.\\n<tools>' }}
{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
{{- '\\n</tools>\\n\\nFor each call return a json object within <tool_call></tool_call> tags:\\n<tool_call>{"name": <name>, "arguments": <arguments>}</tool_call><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'system' and loop.first %}
{%- elif message.role == 'tool' %}
{{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
{%- elif message.role == 'assistant' and message.tool_calls %}
{{- '<|im_start|>assistant' }}
{%- if message.reasoning_content %}{{- '\\n<think>\\n' + message.reasoning_content + '\\n</think>\\n' }}{%- endif %}
{%- if message.content %}{{- '\\n' + message.content }}{%- endif %}
{%- for call in message.tool_calls %}
{%- if call.function %}{%- set call = call.function %}{%- endif %}
{{- '\\n<tool_call>{"name": "' + call.name + '", "arguments": ' }}
{%- if call.arguments is string %}{{- call.arguments }}{%- else %}{{- call.arguments | tojson }}{%- endif %}
{{- '}</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif message.role == 'assistant' and message.reasoning_content %}
{{- '<|im_start|>assistant\\n<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' + message.content + '<|im_end|>\\n' }}
{%- else %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}
`

/** Printable stand-ins for the 256 bytes: the usual byte-level BPE alphabet. */
const BYTE_SYMBOLS: string[] = []
for (let byte = 0, next = 256; byte < 256; byte++) {
  const plain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  BYTE_SYMBOLS.push(String.fromCodePoint(plain ? byte : next++))
}

const toSymbols = (text: string) => Array.from(Buffer.from(text, 'utf8'), byte => BYTE_SYMBOLS[byte] as string)

/** The vocabulary entry that stands for exactly this text. */
export const toToken = (text: string) => toSymbols(text).join('')

export interface Tokenizer {
  readonly tokens: string[]
  readonly merges: string[]
}

interface Word {
  symbols: string[]
  readonly count: number
}

function sampleWords(): Word[] {
  const counts = new Map<string, number>()
  for (const word of SAMPLE.match(/'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu) ?? [])
    counts.set(word, (counts.get(word) ?? 0) + 1)
  return Array.from(counts, ([word, count]) => ({ symbols: toSymbols(word), count }))
}

/** The commonest pair of neighbours, ties broken by order of code units, as "left right". */
function commonestPair(words: Word[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { symbols, count } of words)
    for (let i = 0; i + 1 < symbols.length; i++) {
      const pair = `${symbols[i]} ${symbols[i + 1]}`
      counts.set(pair, (counts.get(pair) ?? 0) + count)
    }
  let best: string | undefined
  let bestCount = 0
  for (const [pair, count] of counts)
    if (count > bestCount || (count === bestCount && pair < (best as string))) [best, bestCount] = [pair, count]
  return best
}

function merge(symbols: string[], left: string, right: string): string[] {
  const merged: string[] = []
  for (let i = 0; i < symbols.length; i++) {
    const joins = symbols[i] === left && symbols[i + 1] === right
    merged.push(joins ? left + right : (symbols[i] as string))
    if (joins) i++
  }
  return merged
}

export function learnTokenizer(maxMerges: number): Tokenizer {
  const words = sampleWords()
  const merges: string[] = []
  const vocabulary = new Set(BYTE_SYMBOLS)
  while (merges.length < maxMerges) {
    const pair = commonestPair(words)
    if (pair === undefined) break
    const [left, right] = pair.split(' ') as [string, string]
    merges.push(pair)
    vocabulary.add(left + right)
    for (const word of words) word.symbols = merge(word.symbols, left, right)
  }
  return { tokens: [...CONTROL_TOKENS, ...MARKS, ...vocabulary], merges }
}
