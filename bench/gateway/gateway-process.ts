// The gateway of own-gateway.ts in a process of its own.
import { answerParent } from '../../measure/child.ts';
import { startGateway } from './own-gateway.ts';

answerParent(startGateway);
