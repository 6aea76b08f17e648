// `tidegate memberships`.
import { kindNoun } from '../../kinds/noun.ts';

export const memberships = kindNoun('Membership');
