import leven from 'leven';

/** Explanations of invalid texts, worded for a message. The first row that matches applies. */
type Recognizer = readonly (readonly [pattern: RegExp, what: string])[];

// Longer than any name or ARN. Longer texts are cut, because matching a text of any length could take too long.
const LONGEST_RECOGNIZED = 512;

function recognize(text: string, rows: Recognizer): string | undefined {
  const start = text.slice(0, LONGEST_RECOGNIZED);
  return rows.find(([pattern]) => pattern.test(start))?.[1];
}

/** White space and invisible characters that look like a plain space, and are not read as one. */
export const ODD_SPACE = /[^\S \t\r\n]|\p{Cf}/u;
/** The problem of such a character, without the full stop. */
export const ODD_SPACE_PROBLEM =
  'this is not a plain space but another character, such as a non-breaking space. Type the space again';

const NOT_EVALUATED =
  'the expression was not evaluated: ${{ }} has no effect in a file, in the value of a variable or in the default of a workflow input';
const NOT_EXPANDED =
  'shell variables are not expanded here; write an expression, for example ${{ env.NAME }}';

const HAS_SHELL_VARIABLE = /\$(?!LATEST(?![A-Z_]))(?:\{\w+\}|[A-Z_]{2})/;

/** What users write by mistake instead of any single word. */
const ANYWHERE: Recognizer = [
  [/\$\{\{/, NOT_EVALUATED],
  [HAS_SHELL_VARIABLE, NOT_EXPANDED],
  [/^(?:".*"|'.*'|[“”„].*[“”]|[‘’‚].*[‘’])$/s, 'remove the quotes'],
  [ODD_SPACE, 'it contains an invisible character, such as a non-breaking space; type it again'],
];

/** Explains a text that can't be any single word. */
export const explainWord = (text: string): string | undefined => recognize(text, ANYWHERE);

const ALIAS_LETTERS = 'an alias can\'t contain "."';

/** The resource that an ARN belongs to, by its service and resource type. */
const ARNS: Recognizer = [
  [/^arn:[^:]*:lambda:[^:]*:[^:]*:layer:/, "a layer's ARN"],
  [/^arn:[^:]*:lambda:[^:]*:[^:]*:event-source-mapping:/, "an event source mapping's ARN"],
  [/^arn:[^:]*:lambda:[^:]*:[^:]*:code-signing-config:/, "a code signing configuration's ARN"],
  [/^arn:[^:]*:(?:execute-api|apigateway):/, "an API's ARN"],
  [/^arn:[^:]*:states:[^:]*:[^:]*:execution:/, "a state machine execution's ARN"],
  [/^arn:[^:]*:states:/, "a state machine's ARN"],
  [/^arn:[^:]*:logs:/, "a log group's ARN"],
  [/^arn:[^:]*:iam:[^:]*:[^:]*:role\//, "a role's ARN"],
  [/^arn:[^:]*:s3:/, "a bucket's ARN"],
  [/^arn:[^:]*:sns:/, "a topic's ARN"],
  [/^arn:[^:]*:sqs:/, "a queue's ARN"],
  [/^arn:[^:]*:events:/, 'an EventBridge ARN'],
  [/^arn:[^:]*:ecr:/, "a container repository's ARN"],
  [/^arn:[^:]*:cloudformation:/, "a stack's ARN"],
  [/^arn:(?![^:]*:lambda:)/, 'the ARN of another service'],
];

/** A URL with or without its scheme. A host alone would be accepted as a name with dots. */
const URLS: Recognizer = [
  [/^[^/\s]*(?:\/\/)?[^/\s]*\.lambda-url\.[a-z0-9-]+\.on\.aws\b/i, "that is the function's URL"],
  [/^[^/\s]*(?:\/\/)?[^/\s]*\.execute-api\.[a-z0-9-]+\.amazonaws\.com\b/i, 'that is the URL of an API'],
  [/^https?:/i, 'that is a URL'],
];

const ONE_EACH = 'put one function per line, or give each an entry of its own in invocations';

const FUNCTION_NAMES: Recognizer = [
  ...ANYWHERE,
  [/\n/, 'an entry is for one function; give each function an entry of its own'],
  [/^[-*] /, 'it begins like an element of a list; write the name alone'],
  [/^#|\s#/, 'comments are not supported here'],
  [/^\[|,/, ONE_EACH],
  [/\s/, `it contains white space; ${ONE_EACH}`],
  [/:\$latest$/i, 'write $LATEST in capitals'],
  [
    /^arn:/,
    'the ARN is incomplete or one of its parts is wrong; write arn:aws:lambda:REGION:ACCOUNT:function:NAME',
  ],
  [/:[\w-]*\.[\w.-]*$/, ALIAS_LETTERS],
];

/** Explains the URL or ARN of a resource other than a function. The API's pattern accepts some of them as a name. */
export function explainOtherResource(text: string): string | undefined {
  // A plain name is neither. Returning early saves compiling the patterns.
  if (!/[.:]/.test(text)) return undefined;
  const url = recognize(text, URLS);
  if (url !== undefined)
    return `${url}; give the function's name; to send it an HTTP request, use http_request`;
  const arn = recognize(text, ARNS);
  return arn === undefined ? undefined : `that is ${arn}; give a function's (…:function:NAME)`;
}

/** Explains a text that can't be the name of a function; undefined if there is no explanation. */
export const explainFunctionName = (text: string): string | undefined =>
  explainOtherResource(text) ?? recognize(text, FUNCTION_NAMES);

/** Explains a text that can't be a version or an alias. */
export const explainQualifier = (text: string): string | undefined =>
  recognize(text, [
    ...ANYWHERE,
    [/^\$latest/i, 'write $LATEST in capitals'],
    [/^:/, 'remove the ":"'],
    [/^arn:/, 'give the version or alias alone, without the ARN'],
    [/\./, ALIAS_LETTERS],
  ]);

// Source: docs.aws.amazon.com/general/latest/gr/rande.html. A region that is missing here is accepted, but never
// suggested.
const REGIONS: readonly string[] = [
  ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'us-gov-east-1', 'us-gov-west-1'],
  ...['ca-central-1', 'ca-west-1', 'mx-central-1', 'sa-east-1'],
  ...['eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-south-2'],
  ...['eu-west-1', 'eu-west-2', 'eu-west-3', 'eusc-de-east-1'],
  ...['af-south-1', 'il-central-1', 'me-central-1', 'me-south-1'],
  ...['ap-east-1', 'ap-east-2', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3'],
  ...['ap-south-1', 'ap-south-2', 'ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3'],
  ...['ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7'],
  ...['cn-north-1', 'cn-northwest-1'],
];

/** A word in a form that is the same for snake_case, kebab-case, camelCase and capitals. */
export const withoutCase = (word: string): string => word.toLowerCase().replace(/[^a-z0-9]/g, '');

// Suggestions are short words.
const LONGEST_GIVEN = 40;

// How many letters may be wrong in a short word and in a longer one.
const MOST_LETTERS_OFF = { short: 2, long: 3 } as const;
const isNearEnough = ({ word, distance }: Readonly<{ word: string; distance: number }>): boolean =>
  distance <= (word.length > 5 ? MOST_LETTERS_OFF.long : MOST_LETTERS_OFF.short);

/** The most similar word, if one is similar enough. */
function nearestWord(given: string, words: readonly string[]): string | undefined {
  if (given.length > LONGEST_GIVEN) return undefined;
  const [first] = words
    .map((word) => ({ word, distance: leven(withoutCase(given), withoutCase(word)) }))
    .sort((one, two) => one.distance - two.distance);
  return first !== undefined && isNearEnough(first) ? first.word : undefined;
}

/** Explains a text that is not a region. */
export function explainRegion(text: string): string | undefined {
  const known = recognize(text, ANYWHERE);
  if (known !== undefined) return known;
  const zone = /^([a-z]+(?:-[a-z]+)+-\d)[a-z]$/i.exec(text.slice(0, LONGEST_GIVEN))?.[1]?.toLowerCase();
  if (zone !== undefined && REGIONS.includes(zone)) {
    return `that is an availability zone; did you mean "${zone}"?`;
  }
  const region = nearestWord(text, REGIONS);
  return region === undefined ? undefined : `did you mean "${region}"?`;
}

/** Words that other tools use for one of our values. */
const SYNONYMS: readonly (readonly [pattern: RegExp, choice: string])[] = [
  [/^(?:async|asynchronous|asynchronously|fire-and-forget)$/i, 'Event'],
  [/^(?:sync|synchronous|synchronously)$/i, 'RequestResponse'],
  [/^(?:dry|test|validate)$/i, 'DryRun'],
  [/^(?:none|no|off|false|disabled|0)$/i, 'never'],
  [/^(?:yes|on|true|enabled)$/i, 'safe'],
  [/^(?:yes|on|true|enabled|1|all|full)$/i, 'Tail'],
  [/^(?:no|off|false|disabled|0)$/i, 'None'],
  [/^(?:v2|http|http[-_ ]?api|function[-_ ]?url)$/i, '2.0'],
  [/^(?:v1|rest|rest[-_ ]?api)$/i, '1.0'],
  [/^(?:a?elb|(?:application[-_ ]?)?load[-_ ]?balancer)$/i, 'alb'],
  [/^(?:yes|y|on|enabled|enable|1)$/i, 'true'],
  [/^(?:no|n|off|disabled|disable|0|none|never)$/i, 'false'],
  [/^(?:yes|on|true|cancel|abort|kill|terminate)$/i, 'stop'],
  [/^(?:no|off|false|none|keep|continue|ignore|nothing)$/i, 'leave'],
];

const POLICY_NOT_COUNT = 'retry is a policy, not a count; retry_seconds limits how long';

/** Explains a text that is not one of the choices: a synonym of a choice, or a misspelled choice. */
export function explainChoice(text: string, choices: readonly string[]): string | undefined {
  const known = recognize(text, ANYWHERE);
  if (known !== undefined) return known;
  const meant = SYNONYMS.find(([pattern, choice]) => choices.includes(choice) && pattern.test(text))?.[1];
  if (choices.includes('safe') && /^[1-9]\d*$/.test(text)) return POLICY_NOT_COUNT;
  const choice = meant ?? nearestWord(text, choices);
  return choice === undefined ? undefined : `did you mean "${choice}"?`;
}

/** The choice that a text names, in any letter case. */
export const findChoice = <Choice extends string>(
  text: string,
  choices: readonly Choice[],
): Choice | undefined => choices.find((choice) => choice.toLowerCase() === text.toLowerCase());

const UNITS: readonly (readonly [pattern: RegExp, seconds: number, name: string])[] = [
  [/^(?:ms|milliseconds?)$/i, 0.001, 'millisecond'],
  [/^(?:s|secs?|seconds?)$/i, 1, 'second'],
  [/^(?:m|mins?|minutes?)$/i, 60, 'minute'],
  [/^(?:h|hrs?|hours?)$/i, 3600, 'hour'],
];

/** Explains a text that is not a whole number of seconds, for example a duration with a unit. */
export function explainSeconds(text: string): string | undefined {
  const known = recognize(text, ANYWHERE);
  if (known !== undefined) return known;
  const [, figure = '', word = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([a-z]{1,12})$/i.exec(text) ?? [];
  const unit = UNITS.find(([pattern]) => pattern.test(word));
  if (unit === undefined) return undefined;
  const [, inSeconds, name] = unit;
  const seconds = Math.round(Number(figure) * inSeconds * 1000) / 1000;
  if (!Number.isInteger(seconds)) return undefined;
  const why = inSeconds === 1 ? 'without the unit' : `which is ${figure} ${name}${figure === '1' ? '' : 's'}`;
  return `write ${seconds}, ${why}`;
}

/** An explanation in parentheses, to follow the text that it explains; empty if there is none. */
export const inParentheses = (explanation: string | undefined): string =>
  explanation === undefined ? '' : ` (${explanation})`;
