/** `turnwire/bridge`: all of `@turnwire/bridge`. */
export * from '@turnwire/bridge';
