// The promise of `@deprecated`: a successor, and the day before which the element is not removed.
import {
  type ASTNode,
  type ConstDirectiveNode,
  type DocumentNode,
  isTypeDefinitionNode,
  Kind,
  type TypeDefinitionNode,
  visit,
} from 'graphql';

interface Deprecation {
  /** A schema coordinate: `Type.field`, `Type.field(argument:)`, `Enum.VALUE` or `Type`. */
  readonly successor: string;
  /** In the form 2027-01-31. */
  readonly until: string;
}

const form = /^Use ([A-Za-z]\w*(?:\.\w+)?(?:\(\w+:\))?)\. Not removed before (20\d\d-\d\d-\d\d)\.$/;
export const deprecationForm = 'Use Type.field. Not removed before 2027-01-31.';

/** Undefined if the reason has another form. */
function readDeprecation(reason: string): Deprecation | undefined {
  const [, successor, until] = form.exec(reason) ?? [];
  if (successor === undefined || until === undefined || Number.isNaN(Date.parse(until))) return undefined;
  return { successor, until };
}

export function deprecationOf(directives: readonly ConstDirectiveNode[] = []): Deprecation | undefined {
  const deprecated = directives.find(({ name }) => name.value === 'deprecated');
  const reason = deprecated?.arguments?.find(({ name }) => name.value === 'reason')?.value;
  return reason?.kind === Kind.STRING ? readDeprecation(reason.value) : undefined;
}

/** The earliest removal of an element that a release on `date` deprecates: six months later. Both in the form 2027-01-31. */
export function earliestRemoval(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  const month = day.getUTCMonth() + 6;
  // The last day of a shorter month.
  const last = new Date(Date.UTC(day.getUTCFullYear(), month + 1, 0)).getUTCDate();
  return new Date(Date.UTC(day.getUTCFullYear(), month, Math.min(day.getUTCDate(), last))).toISOString().slice(0, 10);
}

/** The part of a released graph that is still promised on that day: without expired elements, and without types that only they used. */
export function promisedOn(released: DocumentNode, day: string): DocumentNode {
  const isOver = (node: ASTNode) => {
    const until = 'directives' in node && deprecationOf(node.directives as ConstDirectiveNode[])?.until;
    return until !== undefined && until !== false && until <= day;
  };
  let document: DocumentNode = visit(released, { enter: (node: ASTNode) => (isOver(node) ? null : undefined) });
  const wasReferred = referredIn(released);
  for (;;) {
    const referred = referredIn(document);
    const isOrphan = ({ name }: TypeDefinitionNode) => wasReferred.has(name.value) && !referred.has(name.value);
    const definitions = document.definitions.filter((each) => !isTypeDefinitionNode(each) || !isOrphan(each));
    if (definitions.length === document.definitions.length) return document;
    document = { ...document, definitions };
  }
}

/** Names of types to which another type leads. */
function referredIn(document: DocumentNode): ReadonlySet<string> {
  const names = new Set<string>();
  for (const definition of document.definitions.filter(isTypeDefinitionNode))
    visit(definition, {
      NamedType: ({ name }) => void (name.value === definition.name.value || names.add(name.value)),
    });
  return names;
}
