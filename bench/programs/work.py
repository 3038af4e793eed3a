# What Python programs do: classes, dictionaries, strings, comprehensions, generators, exceptions, big integers, floats, json, re.
import json
import re
import sys


class Account:
    def __init__(self, name, balance):
        self.name, self.balance = name, balance

    def pay(self, other, amount):
        if amount > self.balance:
            raise ValueError(self.name)
        self.balance -= amount
        other.balance += amount


def primes(limit):
    sieve = bytearray([1]) * limit
    for i in range(2, int(limit**0.5) + 1):
        if sieve[i]:
            sieve[i * i :: i] = bytes(len(range(i * i, limit, i)))
    return (i for i in range(2, limit) if sieve[i])


def bank(rounds):
    accounts = [Account("a%d" % i, 1000) for i in range(50)]
    refused = 0
    for i in range(rounds):
        try:
            accounts[i * 7 % 50].pay(accounts[i * 13 % 50], i % 97)
        except ValueError:
            refused += 1
    return refused, sum(a.balance * (i + 1) for i, a in enumerate(accounts))


def words(rounds):
    counts = {}
    text = "the quick brown fox jumps over the lazy dog and %d other animals"
    for i in range(rounds):
        for word in (text % (i % 100)).split():
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda e: (-e[1], e[0]))[:5]


def documents(rounds):
    pattern = re.compile(r"(\w+)@(\w+)\.com")
    total = 0
    for i in range(rounds):
        text = json.dumps({"id": i, "mail": ["u%d@host%d.com" % (i, j) for j in range(5)], "x": i / 7})
        total += sum(len(m.group(2)) for m in pattern.finditer(text)) + len(json.loads(text)["mail"])
    return total


def main(scale):
    print(sum(primes(20000 * scale)), *bank(9000 * scale))
    print(words(1500 * scale), documents(400 * scale))
    fib = [0, 1]
    for _ in range(700 * scale):
        fib.append(fib[-1] + fib[-2])
    x = 0.5
    for _ in range(20000 * scale):
        x = 3.7 * x * (1 - x)
    print(fib[-1] % 10**20, "%.3f" % (x > 0))


main(int(sys.argv[1]))
