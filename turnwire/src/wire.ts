/** `turnwire/wire`: all of `@turnwire/wire`. */
export * from '@turnwire/wire';
