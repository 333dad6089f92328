/** Placeholder until the tables land. */
export class Network {}
