/** `turnwire/testing`: all of `@turnwire/testing`. */
export * from '@turnwire/testing';
