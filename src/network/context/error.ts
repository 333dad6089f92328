/** Something is wrong with a host context, or with a place in it that the user named. */
export class ContextError extends Error {
  override name = 'ContextError';

  /**
   * @param message what is wrong, in one line that can follow the name of the file or option; raw text of the file
   * @param advice what to do about it
   */
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}
