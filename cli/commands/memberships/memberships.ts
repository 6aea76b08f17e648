// `tidegate memberships`.
import { kindNoun } from '../../kinds/kind-noun.ts';
import type { Noun, Verb } from '../../verb.ts';

const verbs = kindNoun('Membership');

export const memberships: Noun = {
  ...verbs,
  set: {
    ...(verbs.set as Verb),
    summary: 'Make the user NAME a member of a project. If the user is a member already, the role is changed.',
    examples: ['tidegate memberships set alice --project shop --role OPERATOR'],
  },
};
