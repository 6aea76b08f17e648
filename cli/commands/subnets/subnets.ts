// `tidegate subnets`: the projects' own networks, in which their nodes are.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const subnets = kindNoun('ProjectSubnet');
