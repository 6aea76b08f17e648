// `tidegate users`.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const users = kindNoun('User');
