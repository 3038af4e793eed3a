# What Perl programs do: hashes, arrays, regular expressions, string building, sorting, subroutines.
use strict;
use warnings;
my $scale = shift;
my (%count, @lines, $sum);
for my $i (1 .. 6000 * $scale) {
  push @lines, sprintf("%05d user%d logged %s from 10.0.%d.%d", $i * 7919 % 100003, $i % 37, ($i % 3 ? "in" : "out"), $i % 256, $i * 3 % 256);
}
for (@lines) {
  if (/^(\d+) (\w+) logged (in|out) from (\d+)\.(\d+)\.(\d+)\.(\d+)$/) {
    $count{"$2-$3"}++;
    $sum += $1 ^ $7;
  }
}
my @sorted = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
sub fib { my $n = shift; return $n < 2 ? $n : fib($n - 1) + fib($n - 2) }
my $text = join ",", map { $_ * 2 } grep { $_ % 3 } 1 .. 5000 * $scale;
(my $upper = $text) =~ s/(\d)(\d)/$2-$1/g;
$upper =~ tr/0-9/a-j/;
my @by_name = sort { (split / /, $a)[1] cmp (split / /, $b)[1] || $a cmp $b } @lines[0 .. 400 * $scale];
print "$sum $sorted[0] $count{$sorted[0]} ", fib(13 + 2 * ($scale > 2)), " ", length($upper), " ", substr($upper, -20), "\n$by_name[7]\n";
