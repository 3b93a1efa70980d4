# Reads emails with Perl's Mail::Message, and their encoded words as strictly as RFC 2047 has them: a word that is too
# long, empty, or not parted by white space stays as it is. In: a JSON list of emails in base64. Out: a JSON list.
use strict;
use warnings;
use Encode;
use Encode::MIME::Header;
use JSON::PP;
use MIME::Base64;
use Mail::Message;

$Encode::MIME::Header::STRICT_DECODE = 1;

# What is not in ASCII is UTF-8 as it stands (RFC 6532).
sub text { my $body = shift; $body =~ /[^\x00-\x7f]/ ? decode("UTF-8", $body, Encode::FB_CROAK) : decode("MIME-Header", $body) }

my $given = do { local $/; <STDIN> };
my @read;
for my $mail (@{ decode_json($given) }) {
    my $message = Mail::Message->read(decode_base64($mail));
    my ($plain, $html) = map { my $type = $_; grep { $_->contentType eq $type } $message->parts } "text/plain", "text/html";
    my @fields = map { { name => $_->name, body => text($_->unfoldedBody) } } $message->head->orderedFields;
    push @read, { fields => \@fields, text => $plain->decoded->string, html => $html->decoded->string };
}
print encode_json(\@read);
