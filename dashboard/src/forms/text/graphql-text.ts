// The mutation of a form as a document with its variables, for GraphiQL and any client.
import { upperFirst } from '../../../../schema/kinds/kind.ts';
import { type Deed, Secret, type Shown, wholeInput } from './shown.ts';

export function mutationText({ kind, verb, action: { mutation, input, object, secrets = [] } }: Deed): string {
  const shown = verb === 'call' ? 'id state deviceError { code message }' : kind.node ? 'id' : '__typename';
  const made = object === undefined ? [] : [`${object} { ${shown} }`];
  const lines = [...made, ...secrets, 'userErrors { code message field }'];
  return `mutation ${upperFirst(mutation)}($input: ${input}!) {
  ${mutation}(input: $input) {
${lines.map((line) => `    ${line}`).join('\n')}
  }
}`;
}

export function variablesText(deed: Deed): string {
  return jsonText({ input: wholeInput(deed) }, 2);
}

/** A secret is `$NAME`. */
function jsonText(value: Shown, spaces: number): string {
  return JSON.stringify(
    value,
    (_, member: unknown) => (member instanceof Secret ? `$${member.variable}` : member),
    spaces,
  );
}

export function graphqlText(deed: Deed): string {
  return `${mutationText(deed)}\n\n# Variables:\n${variablesText(deed).replaceAll(/^/gm, '# ')}\n`;
}
