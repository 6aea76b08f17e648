// What all kinds of fields of a form share: their words, and the faults below them.
import type { InputField } from '../../../schema/kinds/kind.ts';
import { ownName } from '../../../schema/kinds/option-names.ts';
import { titleOf } from '../../../schema/kinds/words.ts';
import type { Draft } from './draft.ts';

export interface FieldProps {
  readonly field: InputField;
  readonly path: readonly string[];
  readonly value: Draft | undefined;
  readonly onChange: (path: readonly string[], value: Draft | undefined) => void;
  /** It stands beside other fields. */
  readonly isBeside?: boolean;
}

/** Names of the graph that people write in another way. */
const spelled: Readonly<Record<string, string>> = {
  fqdn: 'Domain name',
  allowedCidrs: 'Allowed networks (CIDR)',
  l7Policies: 'L7 policies',
  l7Rules: 'L7 rules',
};
const capitals = /\b(tls|alpn|hsts|ttl|dns|cidr|cmp|ip|ca|s3|l7|http|https|tcp|udp|ssh|grpc|url|urls|id)\b/gi;

function inWords(name: string): string {
  return titleOf(name).replace(capitals, (word) => word.toUpperCase().replace(/^URLS$/, 'URLs'));
}

/** `pool`, `L7 policy`: of a list, the word for one of it. */
export function wordOf(field: InputField): string {
  const words = inWords(ownName(field));
  return /^[A-Z][a-z]/.test(words) ? `${words.charAt(0).toLowerCase()}${words.slice(1)}` : words;
}

/** The graph writes names of fields as code. */
export function helpOf({ description }: InputField): string {
  return description.replaceAll('`', '');
}

export function titleOfField(field: InputField): string {
  const { name, refersTo, list } = field;
  if (Object.hasOwn(spelled, name)) return spelled[name] ?? name;
  return inWords(refersTo === undefined || list === true ? name.replace(/Ids$/, 's') : ownName(field));
}

export function Needed({ field }: { readonly field: InputField }) {
  return field.required === true ? <span className="needed"> required</span> : null;
}

export function Faults({ id, messages }: { readonly id: string; readonly messages: readonly string[] }) {
  return (
    <p id={id} className={messages.length > 0 ? 'fault' : undefined}>
      {messages.join(' ')}
    </p>
  );
}
