// The answers to bad input, for every mutation of object storage.
import { badInput } from '../support/bad-input.ts';
import { objectStorage } from './contract.ts';

badInput(objectStorage);
