// The answers to bad input, for every mutation of the relay.
import { badInput } from '../support/bad-input.ts';
import { relay } from './contract.ts';

badInput(relay);
