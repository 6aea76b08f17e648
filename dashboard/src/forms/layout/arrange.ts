// Where each field of an input stands: among the main ones, or below a heading of "Advanced". No DOM here.
import type { InputField } from '../../../../schema/kinds/kind.ts';
import { type Layout, layouts } from './layouts.ts';

/** Entered values by field. */
type Values = Readonly<Record<string, unknown>>;

export interface Theme {
  readonly title: string;
  readonly fields: readonly InputField[];
}

interface Arranged {
  /** Fields of one array stand side by side. */
  readonly main: readonly (readonly InputField[])[];
  readonly advanced: readonly Theme[];
}

const fewFields = 6;

/** `PoolTreeInput`: the layout of PoolTree, or else of Pool. */
export function layoutOf(input: string): Layout | undefined {
  const whole = input.replace(/Input$/, '');
  return [whole, whole.replace(/(Create|Update|Set|Tree)$/, '')]
    .filter((name) => Object.hasOwn(layouts, name))
    .map((name) => layouts[name])[0];
}

/** `asked`: fields that are main in this form, although the layout has them elsewhere. */
export function arrange(
  input: string,
  fields: readonly InputField[],
  { draft, asked }: { readonly draft: Values; readonly asked: ReadonlySet<string> },
): Arranged {
  const layout = layoutOf(input);
  const byName = new Map(fields.map((field) => [field.name, field]));
  if (layout === undefined) return withoutLayout(fields, asked);
  const inside = new Set(layout.inside ?? []);
  const named = new Set(layout.main.flat());
  const further = new Set(Object.values(layout.advanced ?? {}).flat());
  const isAsked = ({ name, required }: InputField): boolean =>
    !named.has(name) &&
    !inside.has(name) &&
    (asked.has(name) || isWhere(layout, name, draft) || (required === true && !further.has(name)));
  const rows = layout.main.map((row) => pick(byName, typeof row === 'string' ? [row] : row));
  const main = [...rows, ...fields.filter(isAsked).map((field) => [field])].filter((row) => row.length > 0);
  const shown = new Set(main.flat().map(({ name }) => name));
  const advanced = Object.entries(layout.advanced ?? {}).map(([title, names]) => ({
    title,
    fields: pick(byName, names).filter(({ name }) => !shown.has(name)),
  }));
  const known = new Set([...further, ...shown, ...inside]);
  const other = { title: 'Other', fields: fields.filter(({ name }) => !known.has(name)) };
  return { main, advanced: [...advanced, other].filter((theme) => theme.fields.length > 0) };
}

/** The further fields of every call to a backend, by heading. */
const ofCalls: Readonly<Record<string, readonly string[]>> = {
  Owner: ['cmpObject', 'scope', 'shared'],
  Sending: ['waitMs', 'deadlineMs', 'force', 'dryRun'],
};

function withoutLayout(fields: readonly InputField[], asked: ReadonlySet<string>): Arranged {
  const isFew = fields.length <= fewFields;
  const themes = Object.entries(isFew ? {} : ofCalls).map(([title, names]) => ({
    title,
    fields: fields.filter(({ name }) => names.includes(name) && !asked.has(name)),
  }));
  const further = new Set(themes.flatMap((theme) => theme.fields));
  return {
    main: fields.filter((field) => !further.has(field)).map((field) => [field]),
    advanced: themes.filter((theme) => theme.fields.length > 0),
  };
}

function isWhere({ where = {} }: Layout, name: string, draft: Values): boolean {
  const [field, ...values] = where[name] ?? [];
  return field !== undefined && values.includes(String(draft[field] ?? ''));
}

function pick(byName: ReadonlyMap<string, InputField>, names: readonly string[]): readonly InputField[] {
  return names.map((name) => byName.get(name)).filter((field) => field !== undefined);
}
