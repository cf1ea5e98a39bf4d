"""What everybody knows: words that mean a thing, a time, a setting or a colour without naming it.

Each fact has paraphrases for training and some kept back. Not here: the requests that ask
implicitly (``requests``).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from services.trainer.sketchbook.wording import Split


@dataclass(frozen=True, slots=True)
class Fact:
    """What some words mean without saying it."""

    meaning: str
    train: tuple[str, ...]
    heldout: tuple[str, ...]

    def words(self, rng: Random, split: Split) -> str:
        """One paraphrase of the split."""
        return rng.choice(self.train if split is Split.TRAIN else self.heldout)


KINDS = {
    fact.meaning: fact
    for fact in (
        Fact(
            "cow",
            (
                "the animal that gives milk",
                "the animal we get milk from",
                "the farm animal that eats grass and gives milk",
            ),
            ("the farm animal we get milk from", "the animal that eats grass and gives milk"),
        ),
        Fact(
            "hen",
            (
                "the bird that lays eggs",
                "the animal we get eggs from",
                "the farm bird that gives eggs",
            ),
            ("the farm animal that lays eggs", "the bird we get eggs from"),
        ),
        Fact(
            "dog",
            (
                "the animal that barks",
                "the animal that guards the house and barks",
                "the pet that fetches sticks",
            ),
            ("the pet that barks", "the animal that fetches sticks"),
        ),
        Fact(
            "cat",
            ("the animal that purrs", "the pet that catches mice", "the animal that says meow"),
            ("the pet that purrs", "the pet that says meow", "the animal that catches mice"),
        ),
        Fact(
            "bee",
            (
                "the animal that makes honey",
                "the insect that gives us honey",
                "the small animal that flies from flower to flower",
            ),
            ("the insect that makes honey", "the insect that flies from flower to flower"),
        ),
        Fact(
            "fish",
            (
                "the animal with fins",
                "the animal that breathes under water",
                "the pet that lives in a bowl of water",
            ),
            ("the pet with fins", "the animal that lives under water"),
        ),
        Fact(
            "bird",
            (
                "the animal with feathers that sings",
                "the animal that builds a nest",
                "the singer with wings and feathers",
            ),
            ("the animal with wings that sings", "the singer that builds a nest"),
        ),
        Fact(
            "umbrella",
            (
                "what keeps you dry in the rain",
                "the thing you open when it rains",
                "the thing that keeps the rain off you",
            ),
            ("the thing that keeps you dry in the rain", "what you open when it rains"),
        ),
        Fact(
            "boat",
            (
                "the thing you sail in",
                "the thing with a sail that floats on water",
                "what carries people over the water",
            ),
            ("the thing with a sail", "the thing that floats and carries people over the water"),
        ),
        Fact(
            "car",
            (
                "the thing with four wheels",
                "what you drive on a road",
                "the thing with an engine and four wheels",
            ),
            ("the thing you drive on a road", "what has four wheels and an engine"),
        ),
        Fact(
            "house",
            (
                "the building people live in",
                "the thing with a door and a roof",
                "what has walls and a roof",
            ),
            ("the building with a door and a roof", "the thing people live in"),
        ),
        Fact(
            "kite",
            (
                "the toy that flies on a string",
                "the toy the wind lifts on a string",
                "what you fly on a string when it is windy",
            ),
            ("the toy you fly on a string", "the toy that flies when it is windy"),
        ),
        Fact(
            "balloon",
            (
                "the toy you fill with air",
                "the thing that pops when you prick it",
                "the round toy full of air that pops",
            ),
            ("the thing you fill with air", "the toy that pops when you prick it"),
        ),
        Fact(
            "ball",
            (
                "the round toy you kick",
                "the toy you throw and catch",
                "the thing players kick into a goal",
            ),
            ("the toy you kick", "the round toy you throw and catch"),
        ),
        Fact(
            "tree",
            (
                "the plant with a trunk",
                "the tall plant with leaves and branches",
                "the plant that wood comes from",
            ),
            ("the plant with a trunk and branches", "the tall plant that wood comes from"),
        ),
        Fact(
            "flower",
            (
                "the plant that bees visit",
                "the plant with petals",
                "what smells sweet and has petals",
            ),
            ("the plant with petals that bees visit", "the plant that smells sweet"),
        ),
        Fact(
            "snowman",
            (
                "the figure children build in winter",
                "the figure made of snow",
                "the one with a carrot nose who melts in spring",
            ),
            ("the figure with a carrot nose", "the figure of snow that children build"),
        ),
        Fact(
            "apple",
            (
                "the fruit that pie is made of",
                "the fruit a teacher gets",
                "the red fruit with a core",
            ),
            ("the fruit with a core", "the red fruit that pie is made of"),
        ),
        Fact(
            "mushroom",
            (
                "what grows under trees and has a cap",
                "the thing with a cap and a stem",
                "what you pick in the forest and put in soup",
            ),
            ("what has a cap and a stem", "the thing you pick in the forest"),
        ),
    )
}
TIMES = {
    fact.meaning: fact
    for fact in (
        Fact(
            "morning",
            ("sunrise", "breakfast time", "the hour when people wake up"),
            ("the hour of sunrise", "the time when people wake up"),
        ),
        Fact(
            "day",
            ("noon", "lunch time", "the hour when the sun is high"),
            ("the time when the sun is high", "the hour of lunch"),
        ),
        Fact(
            "evening",
            ("sunset", "dinner time", "the hour when the sun goes down"),
            ("the time when the sun goes down", "the hour of sunset"),
        ),
        Fact(
            "night",
            ("midnight", "bedtime", "the hour when people sleep"),
            ("the time when people sleep", "the hour of midnight"),
        ),
    )
}
SETTINGS = {
    fact.meaning: fact
    for fact in (
        Fact(
            "desert",
            (
                "the place where camels live",
                "the place where cacti grow",
                "the hot place where it never rains",
            ),
            ("the hot place where camels live", "the hot place where cacti grow"),
        ),
        Fact(
            "sea",
            (
                "the place where whales live",
                "the place where waves and salt water are",
                "the place where whales swim",
            ),
            ("the place of salt water where whales live", "the place where waves are"),
        ),
        Fact(
            "beach",
            (
                "the place where people build sand castles",
                "the place where people sunbathe",
                "the sandy place where waves end",
            ),
            ("the sandy place where people sunbathe", "the place where sand castles are"),
        ),
        Fact(
            "snow",
            (
                "the place where you go sledding",
                "the place where penguins live",
                "the cold place where you need skis",
            ),
            ("the cold place where you go sledding", "the cold place where penguins live"),
        ),
        Fact(
            "town",
            (
                "the place where shops and streets are",
                "the place with many shops",
                "the place where many people live close together",
            ),
            ("the place with many streets", "the place where many shops are"),
        ),
        Fact(
            "meadow",
            (
                "the place where sheep eat grass",
                "the green place full of grass",
                "the place where grass grows",
            ),
            ("the green place where sheep eat", "the place full of grass"),
        ),
    )
}
COLOURS = {
    fact.meaning: fact
    for fact in (
        Fact(
            "red",
            ("the colour of blood", "the colour of tomatoes", "the colour of a fire truck"),
            ("the colour that tomatoes have", "the colour that blood has"),
        ),
        Fact(
            "green",
            ("the colour of grass", "the colour of leaves", "the colour of frogs"),
            ("the colour that grass has", "the colour that frogs have"),
        ),
        Fact(
            "blue",
            ("the colour of the sky", "the colour of a clear sky", "the colour of jeans"),
            ("the colour that jeans have", "the colour that the sky has"),
        ),
        Fact(
            "yellow",
            ("the colour of lemons", "the colour of bananas", "the colour of butter"),
            ("the colour that lemons have", "the colour that bananas have"),
        ),
        Fact(
            "white",
            ("the colour of snow", "the colour of milk", "the colour of salt"),
            ("the colour that milk has", "the colour that snow has"),
        ),
        Fact(
            "orange",
            ("the colour of carrots", "the colour of pumpkins", "the colour of a fox"),
            ("the colour that carrots have", "the colour that pumpkins have"),
        ),
        Fact(
            "purple",
            ("the colour of grapes", "the colour of plums", "the colour of lavender"),
            ("the colour that grapes have", "the colour that plums have"),
        ),
        Fact(
            "pink",
            ("the colour of pigs", "the colour of flamingos", "the colour of bubble gum"),
            ("the colour that pigs have", "the colour that flamingos have"),
        ),
    )
}
CHANGES = {
    fact.meaning: fact
    for fact in (
        Fact(
            "snow melts",
            (
                "after the snow melts",
                "when spring comes and the snow melts",
                "when the snow is gone",
            ),
            ("when the snow melts", "when spring comes and the snow is gone"),
        ),
        Fact(
            "winter",
            ("when winter comes", "after a week of snow", "when it has snowed all night"),
            ("after winter comes", "when it has snowed for a week"),
        ),
        Fact(
            "rain starts",
            ("when the clouds burst", "when everybody gets wet", "when drops fall from the sky"),
            ("when drops fall and everybody gets wet", "after the clouds burst"),
        ),
        Fact(
            "rain stops",
            ("after the shower is over", "when it is dry again", "when the drops stop falling"),
            ("when the shower is over", "after the drops stop falling"),
        ),
        Fact(
            "dark",
            ("when it gets dark", "after sunset, when people sleep", "when everybody goes to bed"),
            ("when people sleep", "after it gets dark"),
        ),
        Fact(
            "sunrise",
            ("when the sun comes up", "when the rooster crows", "at the hour of breakfast"),
            ("when the sun comes up and the rooster crows", "at the hour of sunrise"),
        ),
        Fact(
            "grown",
            ("years later", "many weeks later", "after a long time"),
            ("a long time later", "after many years", "after many weeks"),
        ),
        Fact(
            "eaten",
            (
                "after somebody has eaten the {thing}",
                "when the {thing} is all eaten up",
                "after the {thing} was eaten",
            ),
            ("when somebody has eaten the {thing}", "after the {thing} is eaten up"),
        ),
        Fact(
            "blown away",
            (
                "after the wind has blown the {thing} away",
                "when the {thing} is blown away",
                "after a storm takes the {thing}",
            ),
            ("when the wind has blown the {thing} away", "after the {thing} is blown away"),
        ),
    )
}
ALL_FACTS = (
    *KINDS.values(),
    *TIMES.values(),
    *SETTINGS.values(),
    *COLOURS.values(),
    *CHANGES.values(),
)
