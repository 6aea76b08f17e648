// Another project's objects do not exist, at every root field and entity of the load balancer.
import { isolation } from '../support/isolation.ts';
import { loadBalancer } from './contract.ts';

isolation(loadBalancer);
