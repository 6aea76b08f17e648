// A validation rule: the name `__typename` in an answer is reserved for the type. The executor reads it to combine answers of subgraphs, and would
// treat another field's value under that name as a type.
import { GraphQLError, type ValidationRule } from 'graphql';

export const reservedNameRule: ValidationRule = (context) => ({
  Field(node) {
    if (node.alias?.value !== '__typename' || node.name.value === '__typename') return;
    context.reportError(
      new GraphQLError('The alias __typename is reserved for the field __typename.', { nodes: node }),
    );
  },
});
