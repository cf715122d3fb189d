/** A fault, scenario or option that the mock cannot use: the message says which and what was meant. */
export class MockUsageError extends Error {
  override readonly name = 'MockUsageError';
}

/** What arrived at the mock is not what was expected of the client. */
export class MockVerificationError extends Error {
  override readonly name = 'MockVerificationError';
}
