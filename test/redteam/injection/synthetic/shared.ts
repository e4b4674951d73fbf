import type { Grammar } from './grammar.ts'

const list = (text: string): string[] => text.split('|').map(item => item.trim())

/** Names of things, for attacks and benign texts alike: nothing of them tells which a text is. */
export const SHARED: Grammar = {
  name: list(
    'Anna|Ben|Carlos|Dmitri|Elif|Farah|George|Hannah|Ivan|Julia|Kenji|Lena|Marco|Nadia|Omar|Priya|Quentin|Rosa|Sam|Tomas|Uma|Victor|Wei|Yusuf|Zoe',
  ),
  surname: list(
    'Miller|Novak|Okafor|Tanaka|Rossi|Silva|Kowalski|Meyer|Dubois|Garcia|Singh|Larsen|Ahmed|Chen|Brown|Ivanova|Costa|Schmidt|Haddad|Park',
  ),
  company: list(
    'Northwind Traders|Acme Logistics|Blue Harbor Foods|Kestrel Energy|Lumen Optics|Orchard Bank|Pinewood Clinics|Redstone Mining|Silverline Travel|Vega Robotics|Harbour Books|Mapleton School|Contoso',
  ),
  product: list(
    'coffee grinder|wireless headset|office chair|running shoes|rice cooker|desk lamp|electric kettle|tablet|backpack|garden hose|espresso machine|air purifier|mattress|phone case|bicycle lock|toaster',
  ),
  topic: list(
    'photosynthesis|the French Revolution|interest rates|solar panels|the history of tea|black holes|remote work|city parks|gut bacteria|electric cars|mediaeval castles|coral reefs|vaccines|inflation|jazz|machine learning|the Roman army|beekeeping|earthquakes|open source licences|sleep|the water cycle|urban planning|chess openings',
  ),
  language: list(
    'French|German|Spanish|Italian|Dutch|Polish|Portuguese|Japanese|Chinese|Arabic|Turkish|Swedish|Korean|Latin|Greek|Hindi',
  ),
  city: list('Berlin|Lisbon|Osaka|Toronto|Nairobi|Lyon|Warsaw|Chicago|Mumbai|Oslo|Seoul|Bogota|Vienna|Cairo|Dublin'),
  day: list('Monday|Tuesday|Wednesday|Thursday|Friday|tomorrow|next week|the 14th|the end of the month'),
  time: list('9:00|10:30|noon|14:15|4 pm|17:45|half past eight'),
  number: list('3|5|7|12|20|42|100|250|1,400|0.5'),
  domain: list(
    'example.com|files-share.example|billing-update.example|metrics.example.net|cdn.example.org|collect.example|docs.example.io',
  ),
  address: list(
    'ops@example.com|helpdesk@example.net|archive@collect.example|{name}@example.org|finance@billing-update.example|backup@example.io',
  ),
  file: list(
    'notes.txt|report.pdf|config.yaml|invoice-0042.pdf|meeting.md|contacts.csv|secrets.env|budget.xlsx|main.py|id_rsa',
  ),
  adjective: list('quiet|strange|bright|modern|ancient|curious|simple|famous|careful|angry|cheerful|remote'),
  dish: list(
    'lentil soup|apple pie|fried rice|tomato sauce|pancakes|roast chicken|pad thai|bean stew|sourdough bread|paella',
  ),
  animal: list('cat|owl|dolphin|fox|elephant|tortoise|bee|horse'),
  job: list(
    'teacher|nurse|lawyer|software engineer|pirate|travel guide|historian|nutritionist|detective|recruiter|copywriter|doctor|poet|financial advisor|personal trainer|chef',
  ),
}

/** What somebody may want of a model, and what nobody would mind. */
export const TASKS: Grammar = {
  task: [
    'summarize the text',
    'translate the sentence into {language}',
    'classify the review as positive or negative',
    'answer the question using the context',
    'write a short story about [a|an] {adjective} {animal}',
    'correct the spelling',
    'extract all names and dates',
    'rate the essay from 1 to 10',
    'list three facts about {topic}',
    'rewrite this in a formal tone',
    'find the bug in this function',
    'draft a reply to the customer',
    'explain {topic} to a child',
    'compute the total',
    'recommend a {product}',
    'turn the notes into bullet points',
    'complete the sentence',
    'generate a title',
    'evaluate the résumé',
    'decide whether the comment is spam',
  ],
}
