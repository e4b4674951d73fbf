import type { Random } from './random.ts'

/** What stands around a value. */
export interface Carrier {
  readonly before: string
  readonly after: string
}

const around = (before: string, after = ''): Carrier => ({ before, after })

/** A name in the style of the carrier: `api_key`, `API_KEY`, `apiKey`. */
function styled(name: string, style: 'snake' | 'upper' | 'camel' | 'kebab'): string {
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[_ ]/)
  if (style === 'upper') return words.join('_').toUpperCase()
  if (style === 'kebab') return words.join('-')
  if (style === 'snake') return words.join('_')
  return words.map((word, at) => (at === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('')
}

/** How a variable with a value is written in configuration, code and commands. */
export function assignment(random: Random, name: string): Carrier {
  const upper = styled(name, 'upper')
  const snake = styled(name, 'snake')
  const camel = styled(name, 'camel')
  const kebab = styled(name, 'kebab')
  return random.pick([
    around(`${upper}=`),
    around(`${upper}="`, '"'),
    around(`export ${upper}='`, "'"),
    around(`${snake}: `),
    around(`${camel}: "`, '"'),
    around(`  ${kebab}: '`, "' # rotate"),
    around(`{"${snake}": "`, '", "region": "eu-west-1"}'),
    around(`{"${camel}":"`, '"}'),
    around(`const ${camel} = '`, "'"),
    around(`${snake} = "`, '"  # TODO'),
    around(`${camel} := "`, '"'),
    around(`private static final String ${upper} = "`, '";'),
    around(`System.setProperty("${upper}", "`, '");'),
    around(`os.environ["${upper}"] = "`, '"'),
    around(`:${snake} => "`, '",'),
    around(`<${camel}>`, `</${camel}>`),
    around(`<add key="${camel}" value="`, '" />'),
    around(`| ${snake} | \``, '` | prod |'),
    around(`- **${snake}**: \``, '`'),
    around(`tool --${kebab} `, ' --verbose'),
    around(`tool --${kebab}=`, ' --verbose'),
    around(`https://api.example.com/v1?${snake}=`, '&page=2'),
    around(`-e ${upper}=`, ' image'),
    around(`set ${upper}=`),
    around(`$${camel} = "`, '";'),
    around(`ENV ${upper} `),
    around(`"name": "${upper}", "value": "`, '"'),
  ])
}

/** How a value is written in prose and tables, with a label. */
export function labelled(random: Random, label: string): Carrier {
  return random.pick([
    around(`${label}: `),
    around(`${label}: `, ', thanks'),
    around(`${label} = `),
    around(`- **${label}**: `),
    around(`* ${label} → \``, '`'),
    around(`| ${label} | `, ' |'),
    around(`My ${label} is `, '.'),
    around(`"${label}": "`, '",'),
    around(`Hier ist ${label} `, ', danke'),
    around(`${label}\t`),
    around(`(${label} `, ')'),
    around(`${label}：`, '。'),
  ])
}

/** How a value that tells by itself what it is stands in a text. */
export function bare(random: Random): Carrier {
  return random.pick([
    around('Please use ', ' and confirm.'),
    around('We noted ', '; anything else?'),
    around('Ich habe ', ' notiert.'),
    around('Voir ', ' pour la suite.'),
    around('`', '`'),
    around('"', '"'),
    around('> '),
    around('| Hugo | ', ' | 811837 |'),
    around('<td>', '</td>'),
    around('(', ')'),
    around('値は', 'です。'),
    around('1. '),
    around('hugo,', ',811837'),
  ])
}

/** How a key of a known form is sent and quoted. */
export function sent(random: Random): Carrier {
  return random.pick([
    around('Authorization: Bearer '),
    around('curl -H "Authorization: Bearer ', '" https://api.example.com'),
    around('-H "x-api-key: ', '"'),
    around('The key is ', ', keep it safe.'),
    around('Le jeton est ', '.'),
    around('client = Client("', '")'),
    around('```\n', '\n```'),
  ])
}
