/** `turnwire/register`: the same as `@turnwire/wire/register`. */
import '@turnwire/wire/register';
