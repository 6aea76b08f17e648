// The terms of a mutation: the role that it needs, and the codes with which it may refuse. SDL declares them once, with
// `@terms(role: MEMBER, refuses: [NOT_FOUND])` on the mutation. That directive is only for us: here it becomes the end of the
// description that clients read, `Role: MEMBER. Refuses: FORBIDDEN, NOT_FOUND.`, and answers are compared with that.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type GraphQLSchema,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  type StringValueNode,
  valueFromASTUntyped,
} from 'graphql';
import { type UserErrorCode, userErrorCodes } from '../errors/errors.ts';
import { type UndeclaredRefusal, undeclaredRefusals } from './undeclared-refusals.ts';

/**
 * The least that a caller must be. ANYONE: no login is needed. USER: anyone with a login, machines excepted. ADMINISTRATOR: an
 * administrator of the installation. The others are roles in the object's project, each with the rights of those before it.
 */
const roles = ['ANYONE', 'MACHINE', 'USER', 'VIEWER', 'MEMBER', 'OPERATOR', 'ADMINISTRATOR'] as const;
type TermsRole = (typeof roles)[number];

export interface Terms {
  readonly role: TermsRole;
  readonly refuses: readonly UserErrorCode[];
}

/** The directive, for SDL that is made from typed kinds. */
export function termsText({ role, refuses }: Terms): string {
  return `@terms(role: ${role}, refuses: [${refuses.join(', ')}])`;
}

/** The role in a description, or in the input's description of a mutation. Undefined if it has none. */
export function roleIn(description: string | null | undefined): TermsRole | undefined {
  const [, role] = /(?:^| )Role: ([A-Z]+)\./.exec(description ?? '') ?? [];
  return roles.find((each) => each === role);
}

/** Whoever has one of these may do what needs the role. */
export function rolesThatHave(role: TermsRole): readonly TermsRole[] {
  if (role === 'ANYONE') return roles;
  return role === 'MACHINE' ? [role] : roles.slice(roles.indexOf(role));
}

/** Every mutation may refuse with these, so no description repeats them. */
export const commonRefusals: ReadonlySet<UserErrorCode> = new Set<UserErrorCode>([
  ...(['INVALID_INPUT', 'TOO_LONG', 'KEY_CONFLICT', 'IN_PROGRESS', 'BUSY', 'UNAVAILABLE', 'DISK_FULL'] as const),
  ...(['OTHER_SOURCE', 'NOT_TRIED', 'QUIET_MODE'] as const),
]);

const termsPattern = / Role: ([A-Z]+)\. Refuses: ([A-Z0-9_]+(?:, [A-Z0-9_]+)*)\.$/;
const isTerms = ({ name }: ConstDirectiveNode) => name.value === 'terms';

/** The document with the terms of its mutations in their descriptions, and without the directive. Throws for wrong terms. */
export function withTerms(document: DocumentNode): DocumentNode {
  return {
    ...document,
    definitions: document.definitions.map((definition) => {
      const isObject =
        definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.OBJECT_TYPE_EXTENSION;
      return isObject && definition.name.value === 'Mutation' ? described(definition) : definition;
    }),
  };
}

/** The end of a mutation's description. */
export function termsSentence({ role, refuses }: Terms): string {
  return `Role: ${role}. Refuses: ${refuses.join(', ')}.`;
}

/** The terms in a mutation's description. Undefined if it has none. */
export function termsIn(description: string | null | undefined): Terms | undefined {
  const [, role, refuses] = termsPattern.exec(description ?? '') ?? [];
  if (role === undefined || refuses === undefined) return undefined;
  return { role: role as TermsRole, refuses: refuses.split(', ') as UserErrorCode[] };
}

/** Changes the schema: a mutation that refuses with a code outside of its terms is reported, and its answer stays as it is. */
export function watchRefusals(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const terms = termsIn(field.description);
    const { resolve } = field;
    if (terms === undefined || resolve === undefined) continue;
    const declared = new Set<string>([...commonRefusals, ...terms.refuses]);
    field.resolve = async (...given) => {
      const payload: unknown = await resolve(...given);
      for (const code of codesIn(payload))
        if (!declared.has(code)) undeclaredRefusals.publish({ mutation: field.name, code } satisfies UndeclaredRefusal);
      return payload;
    };
  }
}

function codesIn(payload: unknown): readonly string[] {
  const { userErrors } = (payload ?? {}) as { readonly userErrors?: unknown };
  return Array.isArray(userErrors) ? userErrors.map(({ code }: { readonly code: string }) => code) : [];
}

function described<Type extends ObjectTypeDefinitionNode | ObjectTypeExtensionNode>(type: Type): Type {
  return { ...type, fields: (type.fields ?? []).map(withTermsText) };
}

function withTermsText(field: FieldDefinitionNode): FieldDefinitionNode {
  const directive = field.directives?.find(isTerms);
  if (directive === undefined) return field;
  const terms = termsOf(field.name.value, directive);
  const before = field.description?.value ?? '';
  const description: StringValueNode = {
    ...field.description,
    kind: Kind.STRING,
    value: `${before} ${termsSentence(terms)}`,
  };
  return { ...field, description, directives: (field.directives ?? []).filter((each) => !isTerms(each)) };
}

/** A role that a caller may lack despite a login refuses with FORBIDDEN: terms need not say so. */
function termsOf(mutation: string, directive: ConstDirectiveNode): Terms {
  const given = Object.fromEntries((directive.arguments ?? []).map(({ name, value }) => [name.value, value]));
  const role = given.role && valueFromASTUntyped(given.role);
  const codes = given.refuses && valueFromASTUntyped(given.refuses);
  const isKnown = (code: unknown) => typeof code === 'string' && code in userErrorCodes;
  if (!roles.includes(role as TermsRole) || !Array.isArray(codes) || !codes.every(isKnown))
    throw new Error(`${mutation}: @terms needs a role (${roles.join(', ')}) and a list of codes of UserErrorCode`);
  const common = codes.find((code) => commonRefusals.has(code));
  if (common !== undefined)
    throw new Error(`${mutation}: any mutation may refuse with ${common}: leave it out of @terms`);
  const canLack = role === 'MEMBER' || role === 'OPERATOR' || role === 'ADMINISTRATOR';
  const refuses = [...new Set<UserErrorCode>([...(canLack ? (['FORBIDDEN'] as const) : []), ...codes])];
  if (refuses.length === 0) throw new Error(`${mutation}: @terms names no code`);
  return { role: role as TermsRole, refuses };
}
