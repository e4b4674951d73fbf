/**
 * The phrases of prompt injections, one family a line of attack, as sequences of words:
 * `WORDS` a set of words below, `a|b` either, `~3` up to three other words of the same sentence, `^` in front of the first:
 * only where a sentence, clause or quotation begins or a word such as "please" or "and" leads in.
 */
export interface Family {
  readonly name: string
  /** How sure one phrase of the family is, from 0 to 1; families add up as independent evidence. */
  readonly weight: number
  readonly phrases: readonly string[]
}

export const WORD_SETS: Readonly<Record<string, string>> = {
  IGNORE:
    'ignore ignoring disregard forget override overrule neglect bypass discard ignorier ignoriere ignorieren vergiss missachte ignorez oubliez oublie ignora olvida olvide dimentica esqueça desconsidere negeer vergeet zignoruj ignoruj zapomnij ignorera glöm abaikan lupakan игнорируй игнорируйте проигнорируй забудь забудьте ігноруй забудь',
  BEFORE:
    'previous prior above preceding earlier foregoing past former initial original system existing below following before vorherigen bisherigen obigen précédentes précédents antérieures anteriores previas precedenti anteriori vorige eerdere bovenstaande poprzednie wcześniejsze powyższe tidigare předchozí sebelumnya предыдущие прежние прошлые системные попередні',
  ALL: 'all any every your these those alle toutes todas tus deine deinen tes vos tutte tue suas wszystkie twoje alla dina všechny semua все всі',
  RULES:
    'instruction instructions prompt prompts rule rules direction directions directive directives guideline guidelines command commands programming restriction restrictions policy policies protocols anweisungen instruktionen vorgaben consignes directives instrucciones indicaciones istruzioni direttive instruções orientações instructies opdrachten instrukcje polecenia zasady instruktioner pokyny instruksi инструкции указания правила команды інструкції вказівки',
  LIMITS:
    'restriction restrictions restricted limitation limitations limit limits filter filters censorship rules guidelines ethics morals boundaries constraints moderation',
  SAFETY:
    'safety filter filters guardrails restrictions guidelines policy policies programming moderation ethics censorship safeguards constraints limitations',
  LOOSE:
    'unfiltered uncensored unrestricted amoral unethical immoral jailbroken unlimited unhinged evil nonmoral lawless',
  REVEAL:
    'reveal print output show display repeat recite tell leak expose echo spell summarize summarise translate give share type state disclose say',
  SAY: 'say output print write reply respond answer return',
}

export const FAMILIES: readonly Family[] = [
  {
    name: 'ignore-instructions',
    weight: 0.9,
    phrases: [
      '^IGNORE ~3 BEFORE ~2 RULES',
      '^IGNORE ~2 ALL ~2 RULES',
      '^IGNORE ~3 RULES ~2 BEFORE|previously|given',
      '^IGNORE ~1 everything|anything|all|whatever ~3 above|before|said|told|previously|prior|below',
      '^IGNORE ~1 what ~3 above|before|told|previously|prior|below',
      '^ignore|disregard|forget ~1 instructions|directions|rules',
      'do|dont|never|not|no ~2 follow|obey|listen|adhere ~2 BEFORE|other|any|your ~2 RULES',
      'no longer ~3 follow|obey|adhere|comply ~4 RULES',
      // As letters apart from each other are read.
      'ignoreallpreviousinstructions|ignoreallinstructions|ignorepreviousinstructions|ignoreyourinstructions|disregardallpreviousinstructions|disregardallinstructions',
    ],
  },
  {
    name: 'ignore-context',
    weight: 0.7,
    phrases: [
      '^IGNORE ~2 above|below|rest|prior',
      '^IGNORE ~1 everything|anything|all|any ~2 else|follows|following|further|documents|provided|input|context',
      '^IGNORE ~1 everything|all ~4 learned|told|discussed|know|knew and|or|before|beforehand',
      '^drop|discard|delete|erase|clear ~1 all|your ~2 RULES',
    ],
  },
  {
    name: 'developer-mode',
    weight: 0.85,
    phrases: [
      'you|youre ~2 now in ~2 developer|debug|admin|god|maintenance|sudo|jailbreak|dan|unrestricted|root mode',
      'act|respond|answer|simulate ~6 developer|jailbreak|dan mode',
    ],
  },
  {
    name: 'mode-enabled',
    weight: 0.5,
    phrases: ['developer|jailbreak|dan|god mode enabled|activated|unlocked|output'],
  },
  {
    name: 'disregard-safety',
    weight: 0.8,
    phrases: [
      'bypass|circumvent|disable|override|deactivate|remove|evade|ignore|lift|drop ~3 your|openai|openais|its ~3 SAFETY',
      'not|no|never|without|longer ~2 bound|confined|restricted|limited|constrained|governed|hindered|bounded ~6 RULES|LIMITS|openai|openais|moral|ethical',
      'no|without|any|zero|free|freed|beyond ~3 ethical|moral|content|openai|openais|safety|legal ~4 LIMITS',
      'never|not|cannot|cant|dont|wont refuse|refuses|reject|decline ~4 request|requests|question|questions|prompt|command|instruction|answer|order|anything',
    ],
  },
  {
    name: 'unrestricted-persona',
    weight: 0.75,
    phrases: [
      'do anything now',
      'do anything ~1 without asking',
      'you|youre ~4 LOOSE ~4 ai|model|chatbot|assistant|bot|character|version|persona|robot|language|advisor|being',
      'act|pretend|roleplay|role|imagine|simulate|respond|answer|named|called|known ~12 LOOSE',
      'from|until now on|onwards|forward ~4 you|your|youre ~16 LOOSE|dan|jailbreak|jailbroken',
      'you|ai|model|it|has|have|with|responses|replies ~4 no|without|free ~3 LIMITS',
      'broken|break|breaking|broke|freed|free ~1 free|from|of ~5 confines|restrictions|constraints|chains|limits|limitations|shackles',
      'act|pretend|behave|respond|answer|play|be|are|as ~4 dan|stan|dude|aim|jailbreak|devmode',
    ],
  },
  {
    name: 'stay-in-character',
    weight: 0.55,
    phrases: [
      'stay|remain|staying ~2 character',
      'never|dont|not ~2 break|breaking ~1 character',
      'stay ~2 dan',
      'two ways|responses|answers|replies',
      'you|youre ~2 going to ~2 act|pretend|simulate',
    ],
  },
  {
    name: 'from-now-on',
    weight: 0.4,
    phrases: [
      'from now on ~2 you|your|youre|respond|answer|act',
      'for the rest of ~2 conversation|chat',
      'henceforth ~2 you',
    ],
  },
  {
    name: 'reveal-prompt',
    weight: 0.85,
    phrases: [
      '^REVEAL ~3 your|hidden|initial|original|secret|internal|above|preceding|previous ~2 prompt|prompts|instruction|instructions|directives|preprompt|preamble',
      '^REVEAL ~1 system ~1 prompt|prompts|instructions|message',
      '^REVEAL ~3 instructions|prompt|rules|directions ~2 you|before|given|verbatim',
      '^REVEAL ~3 instructions|prompt ~2 above',
      '^REVEAL ~3 rules|directions above',
      '^REVEAL ~3 text|everything|content|message|messages above|preceding',
      '^REVEAL ~3 text|everything|content before',
      'what|whats|which ~3 your system|initial|original|hidden|secret|first|exact ~1 prompt|instructions|directives|message',
      'what|which ~2 instructions|directives|prompt ~2 you ~1 given|told|receive|received',
      'your complete|entire|full|whole|exact ~1 prompt|instructions',
      'spell ~4 print ~2 prompt|instructions',
    ],
  },
  {
    // People ask the same about a list or a passage that they have put there: the classifier decides.
    name: 'text-above',
    weight: 0.45,
    phrases: [
      '^REVEAL ~3 words|sentence|sentences|lines|line|paragraph above|preceding',
      'write|rewrite|copy|quote|proofread|check|correct|list|encode|paraphrase|analyse|analyze ~4 text|words|everything|instructions|message|rules|prompt ~2 above|precedes|preceding|previous|before',
      'text|words|everything|instructions|message|prompt that precedes|precede',
      'your instructions|prompt|rules|policy as|to|into|with',
      'words|sentences|lines|letters ~1 of ~1 your prompt|instructions|rules|policy|code|password',
    ],
  },
  {
    // What a program says to somebody who has the code: that a text asks for it is a strong hint, that it says so a weak one.
    name: 'verdict-demanded',
    weight: 0.6,
    phrases: [
      '^SAY|repeat|type|display|echo|shout ~4 access|entry|permission|login granted|authorized|authorised|approved|successful',
      'must|should|will|always|only|just|simply|to|saying|by SAY|repeat|type|saying|responding|replying ~3 access|entry|permission granted|authorized|authorised|approved',
      'access granted ~3 only|exactly|now|instead|please|regardless|verbatim|nothing|whatever',
    ],
  },
  {
    name: 'secret-hinted',
    weight: 0.45,
    phrases: [
      'hint|hints|clue|rhyme|rhymes|riddle|acrostic|spell|letter|letters|backwards|encode ~5 code|password|passphrase|passcode|secret',
      'code|password|passphrase|passcode|secret ~4 backwards|reversed|reverse|letter|letters|rhyme|rhymes|spelled|base64|rot13|emojis',
    ],
  },
  {
    name: 'verdict',
    weight: 0.4,
    phrases: ['access|permission|entry granted', 'opposite|antonym ~2 access|permission denied'],
  },
  {
    name: 'code-accepted',
    weight: 0.4,
    phrases: [
      'code|password|passcode|passphrase|pin ~2 is|was|been ~2 correct|accepted|verified|right|valid|entered|confirmed|checked',
      'correct|right|valid code|password|passcode|passphrase',
      'user|identity|authentication ~2 authenticated|verified|confirmed|authorised|authorized|successful|complete',
      'no ~2 code|password ~1 checking|needed|required|necessary',
      '^IGNORE ~2 code|password|passcode|key',
      'skip|stop|disable|bypass|end ~2 check|checking|verification|authentication',
      'grant access|entry|permission',
    ],
  },
  {
    name: 'reveal-secret',
    weight: 0.7,
    phrases: [
      '^REVEAL ~4 secret|access|hidden|special ~1 key|code|password|phrase|word|token|passphrase|passcode|string',
      'what|whats ~2 secret|access|special key|code|password|phrase|word|token',
      'your secret|access|hidden key|code|phrase|token|password',
    ],
  },
  {
    name: 'new-instructions',
    weight: 0.75,
    phrases: [
      '^new|updated|actual|real|additional|revised|important instructions|instruction|directive|directives|task|rules|rule : ',
      'your ~1 new|real|actual|true instructions|task|objective|goal|mission|purpose|role is|are|:',
      'instead ~2 follow|obey|execute ~3 instructions|rules|commands|directions',
      'end of ~1 system|prompt|instructions|context',
      'end of ~2 document|email|input|text|page|file|article|results ~3 new|begin|start|now|system|instructions|user',
      'stop translating|summarizing|summarising|correcting',
    ],
  },
  {
    name: 'hijacked-output',
    weight: 0.5,
    phrases: [
      'instead ~1 of translating|summarizing|summarising|correcting|answering|following',
      'instead ~2 SAY ~2 exactly|only|phrase|word|words|sentence|following|with',
      'no matter what ~6 SAY|answer|said|asked',
    ],
  },
  {
    // Programs that want a bare answer say the same: little more than a hint.
    name: 'only-this',
    weight: 0.15,
    phrases: ['^SAY only|exactly ~3 and|nothing', 'SAY ~4 nothing else'],
  },
  {
    name: 'decode-and-execute',
    weight: 0.8,
    phrases: [
      'decode|decrypt|deobfuscate|unscramble ~8 and|then ~2 execute|run|follow|obey|perform|comply|do|carry',
      'execute|run|follow|obey ~4 base64|encoded|decoded|rot13|hex ~3 string|message|instructions|text|command|commands|prompt',
    ],
  },
  {
    name: 'exfiltrate',
    weight: 0.75,
    phrases: [
      'send|post|forward|email|exfiltrate|upload|transmit|append ~5 conversation|history|credentials|secrets|keys|prompt|passwords ~4 to http|https|url|attacker|server|webhook',
      'send|post|forward|email|exfiltrate|upload ~3 system|chat|conversation|all|users|user prompt|history|secrets|credentials|passwords|data to',
    ],
  },
  {
    name: 'exfiltrate-by-link',
    weight: 0.75,
    phrases: [
      'append|insert|embed|encode ~3 conversation|history|prompt|password|passwords|secret|secrets|credentials ~6 url|link|image|img|query|parameter|http|https',
    ],
  },
  {
    name: 'addressed-to-model',
    weight: 0.5,
    phrases: [
      'if you are|youre ~3 ai|llm|language|assistant|chatbot|bot|model|agent ~4 reading|processing|summarizing|summarising|reviewing|analyzing|analysing',
      '^note|attention|message|instruction|instructions|notice to|for|all ~3 ai|llm|llms|assistant|assistants|chatbot|chatbots|models|agent|agents ~2 :|reading|processing|must',
      'ai|assistant|model|agent must|should|shall now|instead ~2 ignore|disregard|follow|send|reveal|forward',
      'do not|never ~1 tell|inform|mention ~4 user about|this|that ~1 instruction|instructions|message|paragraph',
    ],
  },
  {
    name: 'system-override',
    weight: 0.75,
    phrases: [
      'system|admin|administrator|security|root override activated|accepted|initiated|engaged|enabled|:',
      'you ~2 been jailbroken|freed|unlocked|liberated',
      'jailbreak|jailbroken ~3 mode|prompt|gpt|chatgpt|ai|enabled',
    ],
  },
]

/** Strings that count as they stand, in scripts that do not part their words. */
export const LITERALS: readonly {
  readonly name: string
  readonly weight: number
  readonly strings: readonly string[]
}[] = [
  {
    name: 'ignore-instructions',
    weight: 0.9,
    strings: [
      '忽略之前',
      '忽略以上',
      '忽略前面',
      '忽略所有',
      '无视前面',
      '无视之前',
      '无视以上',
      '無視之前',
      '忘记之前',
      '忘记你之前',
      '忽略上面',
      '忽略系统',
      '忽略你的指令',
      '不要遵守系统',
      '之前的指令全部作废',
      '以前の指示を無視',
      '以前の指示をすべて無視',
      'これまでの命令を忘れ',
      'これまでの指示を無視',
      '上記の指示を無視',
      'システムの指示を無視',
      '이전 지시를 무시',
      '이전의 모든 지시를 무시',
      '시스템 지침을 무시',
      'تجاهل جميع التعليمات',
      'تجاهل التعليمات السابقة',
      'पिछले सभी निर्देशों को',
    ],
  },
  {
    name: 'role-marker',
    weight: 0.9,
    strings: [
      '<|im_start|>',
      '<|im_end|>',
      '<|system|>',
      '<|start_header_id|>',
      '<|eot_id|>',
      '<<sys>>',
      '<|endoftext|>',
      '[system](#',
      '<start_of_turn>',
      '[inst] <<',
      '</s><s>[inst]',
      '<|begin_of_text|>',
    ],
  },
]
