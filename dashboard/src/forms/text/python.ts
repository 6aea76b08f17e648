// The mutation of a form as a program with the Python client (clients/python). A repeated request has the same key, so it acts once.
import { mutationText } from './graphql-text.ts';
import { type Deed, isShownObject, Missing, Secret, type Shown, secretsIn, wholeInput } from './shown.ts';

export function pythonText(deed: Deed): string {
  const input = wholeInput(deed);
  const secrets = [...new Set(secretsIn(input).map(({ variable }) => variable))];
  const note = secrets.length === 0 ? '' : `# From the environment: TIDEGATE_TOKEN, ${secrets.join(', ')}.\n`;
  return `${note}import os

from tidegate import Client

DOCUMENT = """
${mutationText(deed)}
"""

with Client(${literal(deed.url, 0)}, token=os.environ["TIDEGATE_TOKEN"]) as client:
    answer = client.query(
        DOCUMENT,
        {"input": ${literal(input, 8)}},
    )
    print(answer[${literal(deed.action.mutation, 0)}])
`;
}

function literal(value: Shown, indent: number): string {
  if (value instanceof Secret) return `os.environ["${value.variable}"]`;
  // A name that nothing defines: the program ends before it sends anything.
  if (value instanceof Missing) return value.word;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  // A text of JSON is one of Python, but for the escape of a slash, which JSON.stringify does not write.
  if (typeof value === 'string') return JSON.stringify(value);
  const inner = ' '.repeat(indent + 4);
  const items = isShownObject(value)
    ? Object.entries(value).map(([name, member]) => `${inner}${JSON.stringify(name)}: ${literal(member, indent + 4)},`)
    : value.map((each) => `${inner}${literal(each, indent + 4)},`);
  const [open, close] = isShownObject(value) ? ['{', '}'] : ['[', ']'];
  return items.length === 0 ? `${open}${close}` : `${open}\n${items.join('\n')}\n${' '.repeat(indent)}${close}`;
}
