import { describe, expect, test } from '@jest/globals';
import { buildSchema, graphql, parse, print } from 'graphql';
import { userError } from '../../../platform/errors/errors.ts';
import { termsIn, watchRefusals, withTerms } from '../../../platform/graph/terms.ts';
import { undeclaredRefusals } from '../../../platform/graph/undeclared-refusals.ts';

const mutation = (terms: string) =>
  print(withTerms(parse(`type Mutation { "Makes a prefix." make: Payload ${terms} }`)));

describe('the terms of a mutation', () => {
  test('end its description, without the directive', () => {
    const sdl = mutation('@semanticNonNull @terms(role: MEMBER, refuses: [NOT_FOUND, IN_USE])');
    expect(sdl).toContain('"Makes a prefix. Role: MEMBER. Refuses: FORBIDDEN, NOT_FOUND, IN_USE."');
    expect(sdl).toContain('make: Payload @semanticNonNull\n');
    expect(sdl).not.toContain('@terms');
  });

  test('are read back from the description', () => {
    const text = 'Makes a prefix. Role: ANYONE. Refuses: BAD_CREDENTIALS.';
    expect(termsIn(text)).toEqual({ role: 'ANYONE', refuses: ['BAD_CREDENTIALS'] });
    expect(termsIn('Makes a prefix.')).toBeUndefined();
  });

  test.each([
    ['an unknown role', '@terms(role: OWNER, refuses: [])'],
    ['no role', '@terms(refuses: [NOT_FOUND])'],
    ['an unknown code', '@terms(role: MEMBER, refuses: [TOO_GREEN])'],
    ['a code of every mutation', '@terms(role: MEMBER, refuses: [BUSY])'],
    ['no code', '@terms(role: USER, refuses: [])'],
  ])('are refused with %s', (_what, terms) => {
    expect(() => mutation(terms)).toThrow(/^make: /);
  });

  test('report another code, and leave the answer unchanged', async () => {
    const schema =
      buildSchema(`type Query { a: Int } type UserError { code: String } type Payload { userErrors: [UserError] }
      type Mutation { "Makes it. Role: USER. Refuses: NOT_FOUND." make(code: String): Payload }`);
    const field = schema.getMutationType()?.getFields().make;
    if (field === undefined) throw new Error('no field');
    field.resolve = (_source, { code }) => ({ userErrors: [userError(code, 'no')] });
    watchRefusals(schema);
    // The subscriber of this environment must not see the report.
    const told: unknown[] = [];
    const note = (message: unknown) => void told.push(message);
    const { publish } = undeclaredRefusals;
    undeclaredRefusals.publish = note;
    try {
      for (const code of ['NOT_FOUND', 'BUSY', 'IN_USE'])
        expect(await graphql({ schema, source: `mutation { make(code: "${code}") { userErrors { code } } }` })).toEqual(
          {
            data: { make: { userErrors: [{ code }] } },
          },
        );
    } finally {
      undeclaredRefusals.publish = publish;
    }
    expect(told).toEqual([{ mutation: 'make', code: 'IN_USE' }]);
  });
});
